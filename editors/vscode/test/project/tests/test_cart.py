from shop.cart import Cart, total_of


def test_an_empty_cart_costs_nothing() -> None:
    assert Cart().total() == 0


def test_tax_is_added() -> None:
    cart = Cart()
    cart.add(10.0)
    assert total_of(cart, 0.19) == 11.9
