import unittest

from starter import Cart


class CartTest(unittest.TestCase):
    def setUp(self):
        self.cart = Cart()

    def test_is_empty_at_first(self):
        self.assertEqual(self.cart.total(), 0)

    def test_adds_up(self):
        self.cart.add("apple", 2)
        self.cart.add("pear", 3, count=2)
        self.assertEqual(self.cart.total(), 8)

    def test_refuses_a_negative_price(self):
        with self.assertRaises(ValueError):
            self.cart.add("refund", -1)

    def test_carts_are_apart(self):
        self.cart.add("apple", 2)
        self.assertEqual(Cart().total(), 0)
