def sum_of_evens(numbers):
    pass
