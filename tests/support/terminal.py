"""The command line in a process of its own."""

import subprocess
import sys


def in_a_terminal(*arguments: str, before: str = "") -> subprocess.CompletedProcess:
    """The command as installed, after a program of one's own.

    The last line of its errors tells its seconds and its modules.
    """
    program = f"""
import atexit, sys, time
sys.argv = ["keras-resnet", *{arguments!r}]
atexit.register(lambda: print(time.process_time(), *sys.modules, file=sys.stderr))
{before}
from keras_resnet_cli import main
sys.exit(main())
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
