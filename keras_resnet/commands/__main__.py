"""`python -m keras_resnet.commands` is `keras-resnet`."""

import sys

from keras_resnet.commands import main

if __name__ == "__main__":
    sys.exit(main())
