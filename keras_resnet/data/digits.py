"""1,797 real handwritten digits without a download: scikit-learn contains them."""

import keras
import numpy as np

CLASSES = 10
TEST_FRACTION = 0.2
SCALE = 2  # 8x8 images become 16x16: two halvings of the map then end at 4x4

Split = tuple[np.ndarray, np.ndarray]


def load_data() -> tuple[Split, Split]:
    """Loads the digits with a fixed split into training and test images.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI
    Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, the test part, which
    `sklearn.datasets.load_digits` holds.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, as `keras.datasets` returns: 1,437 and 360
        images, one in five of every class for the test. Images are float32 from 0 (paper) to
        1 (ink), of shape (16, 16, 1), or (1, 16, 16) under channels_first: every pixel of the
        8x8 original is repeated twice along each side. Labels are int64 from 0 to 9.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 16, 16, 1), (360, 16, 16, 1))
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError(
            'The digits come with scikit-learn: pip install "keras3-resnet[recipes]"'
        ) from error

    digits = load_digits()
    images = (digits.images / 16).astype("float32").repeat(SCALE, axis=1).repeat(SCALE, axis=2)
    channel = -1 if keras.config.image_data_format() == "channels_last" else 1
    x_train, x_test, y_train, y_test = train_test_split(
        np.expand_dims(images, channel),
        digits.target.astype("int64"),
        test_size=TEST_FRACTION,
        random_state=0,
        stratify=digits.target,
    )
    return (x_train, y_train), (x_test, y_test)
