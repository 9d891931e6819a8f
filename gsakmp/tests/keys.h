/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_KEYS_H
#define GSAKMP_TESTS_KEYS_H

/* Private keys that sign test messages.  They are printed here: worth nothing.
 */
/* clang-format off */
#define KEY_ED25519 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MC4CAQAwBQYDK2VwBCIEIN8fcUAr4t/lX45MxgxTEOqVuTL9oY3aqv2dEEuHoyhR\n" \
	"-----END PRIVATE KEY-----\n"
#define KEY_P256 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgs69r2CfAl5UiEo/T\n" \
	"HhpW3zGDH+R+GoiuvSIHBwqady+hRANCAARR1CHylcJMkJx3VCSpO7ZwxlC5jslg\n" \
	"pHCmI8d+12DR3kx4zMjDjuIVolUs4tWnIX4TpkWlXsSspVeWKxV6GUuO\n" \
	"-----END PRIVATE KEY-----\n"
#define KEY_P384 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAVhWAsUYl6p6juebMg\n" \
	"DiAtG1lz3Wg9eLNwWgJSAyoRjcwIun593i8E/kOHvfCE2L6hZANiAARtgDtJJLUJ\n" \
	"BdrVPP1gB25Wv6oZVOf/DggrVa6xOencFgKVMVkxGuOWvWvTUCr4v8SMHzjDLOpi\n" \
	"/6dv3paXZLwT0ylYPA2Hg8GUlfZV6utd8eZXAI439VpjWObrRWjKrE4=\n" \
	"-----END PRIVATE KEY-----\n"
#define KEY_DSA \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIIBSgIBADCCASsGByqGSM44BAEwggEeAoGBAIiwuje8EXNeNSUtwDJDTluxSQRv\n" \
	"drMec4VNNLuS9EuJGlgUE65o4n1Orsfsmv4X9WkPjZaJrMjG6XM9ULYA8xL/Wdc9\n" \
	"iPop3d2aUGx5bBJwFsSOZAHkFxf+tXeQPaoYhjDUQ9GsXuOJHCYh8cFXoAmhPI0l\n" \
	"A/oxR+OkM4uKNmRlAhUAlhnEqYwDGAdZgIqs7yDTGsWanikCgYBNCkyBBm/mftqy\n" \
	"WNGAreftach8gLOJZzJovxGvllzYxXwslBYDx4masemBebiZ46UWRq8e9M2zBfWv\n" \
	"CLyxjPNMt26cyeRzDReAh/aIRChW+CeP0IcekIHfNP80Y1Ugva1F1ccUNRK36u2W\n" \
	"Z8vy0uC1WvscKRswhIboktByE21sugQWAhRnrinfI0YN9YJ7/0NEC9yxP9JexA==\n" \
	"-----END PRIVATE KEY-----\n"
#define KEY_RSA \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC0urxkOXFB2/jQ\n" \
	"H15jMa0MfNTZpxw6gWRvBBQ/ftrQDh5V5NsVGlOIQAzc4UXP2CAegYSqBlfu+u7Y\n" \
	"Sc1XhqP/8jUGUm0kDlingOzMChy15n0xhrqK/LFyh5WmKrZymv15YW9TJC/QN0An\n" \
	"ve/G5A9VvG/52mCmuNnjSA1QIwtlvqE4lno56fZ1/LYQfic7WqgB1MXTxYOhe4y5\n" \
	"H66i0sQOR+fVBCaPCWQDgip2a3Z262XX74ZqlK134yjA3HeWIHkLGPbFdnemx4cS\n" \
	"shemcJS8PqwBU5/js66DM7m9hs2em2RXhoSFg5PVTskkbFffChpysgis6ETkeyyN\n" \
	"uIQwTRJ/AgMBAAECggEAT/YezCkuFvmASHTYigK8kb3ZXsM1Fh2Rlhyz6LPzlAHr\n" \
	"Ig2zcM7JDotoJYH2JVN2QokDbUaJOU8ExeVBWOxVOzSqiTWG3GEMkG/WVSBUO5bS\n" \
	"5Uq61iufRxD+ARr8xhAU/dNCMgLctL79P5glslXNAx3wXRdlk95NaOXEHiSjMkw5\n" \
	"PG8kFIMnI3BBAUTpvyrke8bJMXW0ooJ5FuHWf5F/1fayw4t0V1deFYBKrAVa+lLo\n" \
	"+U8Q0vKDKOFkjeUFTViIxgugUOb1bWmRUuJw2ryyf+XulZSVvfRGpmpiQEW+EZrb\n" \
	"bzdy3YTOpzma/nP4st76dZB++0LVBAurPOezE1A9wQKBgQD3+3F9rOao6Q4p0IZZ\n" \
	"bSDfT3LU/dEiZ4GKKHRy7elqZyI3OyOEbGP9A+Q1jLj8b54+9kW4FnjD1LACxsPH\n" \
	"uv31O0ZNOSBuj/lC1Jwt2STp16icw37h5olFg+3WwON06AC0vwEer13VRd/2z7pq\n" \
	"QH4ypJTumHVbi1rLNndLRa7GJwKBgQC6kqOoXMdyXIUgxbCU8oYsgmVJgpXJgqnH\n" \
	"Av5jbIPuH3Gcc5yL7sVHhmTrzH3CiJLezRwIKDfUELUYfilT1sZb2PdMc955EgMA\n" \
	"22q+JFV5aTnvf1kcC9bHQ9iUh0AXEW1C6Z1bw1zVp/mFKqTMZd5RyANsQrIfkSFg\n" \
	"GYh9FWQf6QKBgQDSI9FYnlwYZuYJqRswTLm+gqTcuPmwHeY4HXAQtGtIL31fME44\n" \
	"uWFB1zpb5pQb1rpSwH70MJbF3EYLFERzzJHIbiJ07iP9jSO87k4qzAfr4USRE1lC\n" \
	"NQm+Tr4NbgdR2gg/Ilzgk9sAD+ZqUD24LE7Eu5M5XRiWKtEVw2Hz92jToQKBgQCC\n" \
	"hYOojP+aqc8YljRqfyAOk0p4mrpfNuG/MAD3XTsOo0C/ysGBw5CP8R05ON3h8dmN\n" \
	"tMAflMM5wFZwxBH1bRNnvemDuquw10DyoI2UZ6bEQTEes2CLllyzGmuxvMzBVpex\n" \
	"b+19/LY9Yj3VQ3f25m0ZmWuLmT0ziDxpFnO9zfE1wQKBgHkIV50bedTno9RNv+tp\n" \
	"28ig5VHufA08JSJykcxWwsU93sIYVUZ5W45RgZg2cTFpBsB0g0cqUeR7rJ292g9X\n" \
	"Epjw/2WXh09isI+uOUL+tO0+vsZXVFU0YVBufKF8aNpBgEbREs0V1hxxZ+/ZBhOJ\n" \
	"fEJCeTRXQdH8qvyCf+4y2NOx\n" \
	"-----END PRIVATE KEY-----\n"
#define KEY_RSA1024 \
	"-----BEGIN PRIVATE KEY-----\n" \
	"MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALOLigTjdFYV3p4E\n" \
	"18BlF7P1pjgquCBJhaxOdM6XjqotsOEqR/AcrvWsiF7q3aSjjV7Kq+yjBaDKve2V\n" \
	"9R9EhW0PKs8Hn9DrqaG5C2BnilbOgfdzbU/3YN+FHbofHnkD7A9/FnQz3LqQFvEI\n" \
	"Xn9bmtPLNgDpPGD4n3qoNKYyBufbAgMBAAECgYEAnqGH1R/dVn3GDZk7wjnPQmmk\n" \
	"bXWY7rXmy8EZxLn1C3iJEbeYjZXaIydH6YzbPS5fpkOsuMukGldmjTZztyeENcaM\n" \
	"YWFu0ezFTpHYKJrSni/qnGbKxWmH1IqIsdIMCPM29+nVDosK4k2B3buxpA34CX0+\n" \
	"UpOz4CfDUz6RVuqPi7kCQQDk5aDRp7kT8irfoCFBaTUPqWJ7NwcpM0+iicHCzyL3\n" \
	"t1EYjf57j24NIM5LgkxzS4XTvt/7WX+U9giJU8TVBF/NAkEAyM3yIdNGvW+j/Am8\n" \
	"Q6KsLMecq2SmAvK84wBbwSK+eZqv2e0ZALXT1WKJp/SDF4KNjQoTkFqiIe81KWlb\n" \
	"Fn+uRwJAMuNCL5okMWUDVxgYjJxBKaw0ssP3GZfIuo/5vb+jPINKyjS3QO0QQGbs\n" \
	"tijPqko+BGdJEG5DSPCx0SYIensweQJAb1VAGmD5p65uTR9YsmdO7sT9qEl1gczz\n" \
	"zSg1ty98TA/nz/wVEL+/Y1/u0qBOzooj0T70+eRGYGowH3W6ew7voQJAcRo4lZNx\n" \
	"/xNV5u5rt/mU+4KcpRI6VKyTwweEDROK33x9DctZZV9A6C1iAbHH33JQ5tsAajB/\n" \
	"eaIFdhRwxst3LA==\n" \
	"-----END PRIVATE KEY-----\n"
/* clang-format on */

#endif /* GSAKMP_TESTS_KEYS_H */
