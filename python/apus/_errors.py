"""The exceptions that have no counterpart among Python's own."""


class ShapeError(RuntimeError, ValueError):
    """Shapes that don't fit together, or a number of axes that an op doesn't take."""


class FormatError(ValueError):
    """A file that is damaged, or not what it says."""
