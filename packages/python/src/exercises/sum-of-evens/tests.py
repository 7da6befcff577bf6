import random

import starter

assert starter.sum_of_evens([1, 2, 3, 4]) == 6
assert starter.sum_of_evens([]) == 0
assert starter.sum_of_evens([-2, -3]) == -2


def test_numbers_nobody_can_guess():
    numbers = [random.randrange(-1000, 1000) for _ in range(50)]
    assert starter.sum_of_evens(list(numbers)) == sum(number for number in numbers if number % 2 == 0)


def test_leaves_the_list_as_it_was():
    numbers = [1, 2, 3]
    starter.sum_of_evens(numbers)
    assert numbers == [1, 2, 3]
