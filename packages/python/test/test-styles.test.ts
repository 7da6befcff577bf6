import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPythonRunner, type PythonRunner } from '../src/index.ts';

const PROGRAM = `
import sys

class Account:
    def __init__(self, balance=0):
        self.balance = balance
    def withdraw(self, amount):
        if amount > self.balance:
            raise InsufficientFunds(self.balance, amount)
        self.balance -= amount
    def __eq__(self, other):
        return isinstance(other, Account) and self.balance == other.balance
    def __mul__(self, factor):
        return Account(self.balance * factor)
    def __repr__(self):
        return f"Account({self.balance})"

class InsufficientFunds(ValueError):
    def __init__(self, balance, amount):
        super().__init__(f"{balance} < {amount}")
        self.missing = amount - balance

def add(a, b): return a + b
def countdown(n):
    while n: yield n; n -= 1
def double_all(numbers):
    for index in range(len(numbers)): numbers[index] *= 2
def apply(fn, value): return fn(value)
def greet(): print("Hello, " + input("name? "))
LIMIT = 10
print("Hello")
`;

describe('a test script', () => {
  let runner: PythonRunner;
  beforeAll(async () => {
    runner = createPythonRunner({ maxConcurrent: 1, allowUnsandboxed: true });
    await runner.start();
  });
  afterAll(() => runner.stop());

  const judge = async (testCode: string, code = PROGRAM) => {
    const { testResult } = await runner.execute({ code, testCode });
    return testResult;
  };

  it('of plain asserts gives a case for each, with both sides', async () => {
    const result = await judge(
      'import starter\nassert starter.add(1, 2) == 3\nassert starter.add(1, 1) == 3\nassert "Hello" in output, "says hello"\nfor n in range(2):\n    assert starter.add(n, n) == n * 2',
    );
    expect(result).toEqual({
      passed: false,
      testCases: [
        { name: 'starter.add(1, 2) == 3', passed: true },
        {
          name: 'starter.add(1, 1) == 3',
          passed: false,
          expected: '3',
          actual: '2',
          error: 'The assertion does not hold.',
        },
        { name: 'says hello', passed: true },
        { name: 'starter.add(n, n) == n * 2', passed: true },
        { name: 'starter.add(n, n) == n * 2', passed: true },
      ],
      output: '',
      errors: null,
    });
  });

  it('of checks gives a case for each, its own `check` or ours', async () => {
    const ours = await judge(
      'import starter\ncheck(starter.add(1, 2) == 3, "adds")\ncheck(starter.LIMIT == 11, "limit")',
    );
    expect(ours?.testCases).toEqual([
      { name: 'adds', passed: true },
      { name: 'limit', passed: false, error: 'limit' },
    ]);
    const own = await judge(
      'import starter\ndef check(cond, msg):\n    if not cond: raise AssertionError(msg)\ncheck(starter.add(1, 2) == 3, "adds")\nprint("OK")',
    );
    expect(own).toMatchObject({ passed: true, testCases: [{ name: 'adds', passed: true }], output: 'OK' });
  });

  it('of unittest classes gives a case for each method', async () => {
    const result = await judge(`
import unittest
from starter import Account, InsufficientFunds, add
class AccountTest(unittest.TestCase):
    def setUp(self): self.account = Account(5)
    def test_add(self): self.assertEqual(add(1, 2), 4)
    def test_raises(self):
        with self.assertRaises(InsufficientFunds) as caught: self.account.withdraw(7)
        self.assertEqual(caught.exception.missing, 2)
        with self.assertRaises(ValueError): self.account.withdraw(7)
    def test_objects(self):
        self.account.withdraw(2)
        self.assertEqual(self.account, Account(3))
        self.assertNotEqual(self.account, Account(4))
        self.assertIsInstance(self.account, Account)
        self.assertEqual(self.account * 2, Account(6))
        self.assertEqual(str(self.account), "Account(3)")
    @unittest.skip("later")
    def test_later(self): pass
if __name__ == "__main__":
    unittest.main()
`);
    expect(result?.testCases).toEqual([
      { name: 'test_add', passed: false, expected: '4', actual: '3', error: '3 != 4' },
      { name: 'test_objects', passed: true },
      { name: 'test_raises', passed: true },
    ]);
  });

  it('of functions works as with pytest', async () => {
    const result = await judge(`
import pytest, starter
@pytest.fixture
def account():
    made = starter.Account(5)
    yield made
@pytest.mark.parametrize("a, b, sum", [(1, 2, 3), (2, 2, 5)])
def test_add(a, b, sum): assert starter.add(a, b) == sum
def test_raises(account):
    with pytest.raises(starter.InsufficientFunds, match="5 < 7"): account.withdraw(7)
def test_nearly(): assert starter.add(0.1, 0.2) == pytest.approx(0.3)
def test_prints(capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: "Ada")
    starter.greet()
    assert capsys.readouterr().out == "Hello, Ada\\n"
class TestGroup:
    def setup_method(self): self.numbers = [1, 2]
    def test_in_place(self):
        starter.double_all(self.numbers)
        assert self.numbers == [2, 4]
    def test_generator(self): assert list(starter.countdown(3)) == [3, 2, 1]
    def test_callback(self): assert starter.apply(lambda value: value + 1, 4) == 5
`);
    expect(result?.testCases.map(({ name, passed }) => [name, passed])).toEqual([
      ['test_add[1, 2, 3]', true],
      ['test_add[2, 2, 5]', false],
      ['test_raises', true],
      ['test_nearly', true],
      ['test_prints', true],
      ['test_in_place', true],
      ['test_generator', true],
      ['test_callback', true],
    ]);
  });

  it('that asserts in a main section of its own counts as one test', async () => {
    const passing = await judge(
      'import starter\ndef main():\n    assert starter.add(1, 2) == 3\nif __name__ == "__main__":\n    main()\n    print("OK")',
    );
    expect(passing).toMatchObject({ passed: true, testCases: [{ name: 'tests', passed: true }] });
    const failing = await judge(
      'import starter\ndef main():\n    assert starter.add(1, 2) == 4\nif __name__ == "__main__":\n    main()',
    );
    expect(failing).toMatchObject({
      passed: false,
      testCases: [{ name: 'line 5', expected: '4', actual: '3' }],
    });
  });

  it('that tests nothing passes nobody', async () => {
    expect(await judge('import starter\nprint("OK")')).toMatchObject({
      passed: false,
      testCases: [{ name: 'tests', passed: false, error: 'The tests contain nothing that is tested.' }],
    });
  });

  it('with a mistake of its own says so', async () => {
    expect(await judge('assert (')).toMatchObject({
      passed: false,
      testCases: [
        { name: 'the tests run', error: expect.stringMatching(/^The tests have a mistake: SyntaxError/) },
      ],
    });
  });

  it('is not run when the program fails, and says why', async () => {
    const { testResult, success, error } = await runner.execute({
      code: 'x = nobody',
      testCode: 'assert True',
    });
    expect(testResult).toMatchObject({
      passed: false,
      testCases: [
        { name: 'the program runs', passed: false, error: "NameError: name 'nobody' is not defined" },
      ],
    });
    expect([success, error?.kind]).toEqual([false, 'name']);
  });

  it('judges the output of a program that exits by itself', async () => {
    expect(await judge('assert output == "done\\n"', 'print("done")\nimport sys\nsys.exit()')).toMatchObject({
      passed: true,
    });
  });

  it('is left out on request', async () => {
    const result = await runner.execute({ code: 'print(1)', testCode: 'assert False', runTests: false });
    expect(result).toMatchObject({ success: true, testResult: null });
  });

  const SOLUTIONS: Readonly<Record<string, string>> = {
    greeting: 'print("Hello, World!")',
    'sum-of-evens': 'def sum_of_evens(numbers):\n    return sum(n for n in numbers if n % 2 == 0)',
    'shopping-cart':
      'class Cart:\n    def __init__(self): self.sum = 0\n    def add(self, name, price, count=1):\n        if price < 0: raise ValueError(price)\n        self.sum += price * count\n    def total(self): return self.sum',
  };

  it('is found by the id of its exercise', async () => {
    expect(await runner.exercises.list()).toEqual(Object.keys(SOLUTIONS).toSorted());
    for (const [exerciseId, code] of Object.entries(SOLUTIONS)) {
      const solved = await runner.execute({ code, exerciseId });
      expect(solved).toMatchObject({ success: true, testResult: { passed: true } });
      const { starterCode, title } = await runner.exercises.get(exerciseId);
      expect(title).toMatch(/\w/);
      const begun = await runner.execute({ code: starterCode, exerciseId });
      expect(begun).toMatchObject({ success: false, testResult: { passed: false } });
    }
  });

  it.each(['nothing', '../exercises/greeting', '.', 'greeting/..'])(
    'has no exercise %j',
    async (exerciseId) => {
      await expect(runner.execute({ code: '1', exerciseId })).rejects.toMatchObject({
        code: 'EXERCISE_NOT_FOUND',
        exerciseId,
      });
    },
  );
});
