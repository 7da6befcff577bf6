class Cart:
    def add(self, name, price, count=1):
        pass

    def total(self):
        pass
