"""The command line in a process of its own."""

import subprocess
import sys


def in_a_terminal(*arguments: str, before: str = "") -> subprocess.CompletedProcess:
    """The command as installed, after a program of the test, which can import single modules.

    The last line of its errors is the seconds of the processor and the modules.
    """
    program = f"""
import atexit, sys, time
sys.argv = ["keras-resnet", *{arguments!r}]
atexit.register(lambda: print(time.process_time(), *sys.modules, file=sys.stderr))
import keras_resnet_cli
import_package = keras_resnet_cli.enter_package()
{before}
keras_resnet_cli.enter_package = lambda: import_package
sys.exit(keras_resnet_cli.main())
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
