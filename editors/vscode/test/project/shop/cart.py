"""A shop's cart."""


class Cart:
    """Things that somebody is going to buy."""

    def __init__(self) -> None:
        self.prices: list[float] = []

    def add(self, price: float) -> None:
        """Put one thing into the cart."""
        self.prices.append(price)

    def total(self, tax: float = 0.0) -> float:
        """The price of everything in the cart.

        Args:
            tax: the share that the state gets, 0.19 for 19 %.
        """
        return sum(self.prices) * (1 + tax)


def total_of(cart: Cart, tax: float) -> float:
    """The price of everything in `cart`."""
    return cart.total(tax)
