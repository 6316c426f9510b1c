"""What stands on labels. 🛒"""

from .cart import Cart, total_of


def 𝔭rice(label: str = "🙂", *, tax: float = 0.0) -> str:
    """🛒 A cart's price, for people.

    Args:
        label: what stands before it, 🙂 for example.
        tax: 🏛️ the share that the state gets.
    """
    return "🛒🛒" + label + format(total_of(Cart(), tax), ".2f")
