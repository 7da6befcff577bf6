export interface Example {
  readonly name: string;
  readonly code: string;
  readonly testCode: string;
}

/** What one can begin with. */
export const EXAMPLES: readonly Example[] = [
  {
    name: 'Greeting',
    code: 'name = input()\nprint(f"Hello, {name}!")\n',
    testCode: 'assert output == "Hello, Ada!"\n',
  },
  {
    name: 'A function with tests',
    code: 'def is_leap(year):\n    return year % 4 == 0\n',
    testCode:
      'from starter import is_leap\n\nassert is_leap(2024)\nassert not is_leap(2023)\nassert is_leap(2000)\nassert not is_leap(1900)\n',
  },
  {
    name: 'A mistake, explained',
    code: 'numbers = [3, 1, 2]\nfor number in sorted(numbers):\n    print(number)\nprint(total)\n',
    testCode: '',
  },
  {
    name: 'A loop without an end',
    code: 'while True:\n    pass\n',
    testCode: '',
  },
];
