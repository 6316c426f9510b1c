"""What stands on labels. 🛒"""

from .cart import Cart, total_of


def 𝔭rice(label: str = "🙂", *, tax: float = 0.0) -> str:
    """A cart's price, for people."""
    return "🛒🛒" + label + format(total_of(Cart(), tax), ".2f")
