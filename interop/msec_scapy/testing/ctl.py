# SPDX-License-Identifier: BSD-2-Clause
"""What msec-ctl prints of what a daemon says that is made up."""
import socket
import subprocess
import threading

from lab.build import program


def told(tmp_path, answers: list, *words) -> subprocess.CompletedProcess:
    """Octet for octet; `answers` are lines, `words` a command and options before it."""
    path = tmp_path / "s"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(1)

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.makefile().readline()
                connection.sendall(b"".join(a + b"\n" for a in answers))

        thread = threading.Thread(target=answer)
        thread.start()
        r = subprocess.run([program("msec-ctl"), *words[:-1], path, words[-1]], capture_output=True)
        thread.join()
    return r
