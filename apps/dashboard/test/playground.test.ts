import { expect, it } from 'vitest';
import { describeInBrowser } from './browser.ts';

describeInBrowser('the playground', (bench) => {
  it('runs a program, with its tests and without', async () => {
    const page = await bench.open('/playground');
    await page.getByLabel('Example').selectOption('A function with tests');
    await page.getByRole('button', { name: 'Run with tests' }).click();
    await page.getByText('3 of 4 tests passed.').waitFor();
    expect(await page.locator('[data-case="passed"]').count()).toBe(3);
    expect(await page.locator('[data-case="failed"]').textContent()).toContain('is_leap(1900)');

    await page.getByLabel('Program', { exact: true }).fill('print("Hello,", input())');
    await page.getByLabel('Input').fill('Ada');
    await page.getByRole('button', { name: 'Run without tests' }).click();
    await page.getByLabel('Printed').getByText('Hello, Ada').waitFor();
    await page.getByText('It ran to its end.').waitFor();
  });

  it('explains a mistake and marks its line; the keyboard is enough', async () => {
    const page = await bench.open('/playground');
    const program = page.getByLabel('Program', { exact: true });
    await page.getByLabel('Tests', { exact: true }).fill('');
    await program.fill('');
    await program.focus();
    await page.keyboard.type('for number in range(2):\nprint(total)');
    expect(await program.inputValue()).toBe('for number in range(2):\n    print(total)');
    await page.keyboard.press('Control+Enter');
    await page.getByText('NameError in line 2').waitFor();
    await page.getByText('A name is used that does not exist').waitFor();
    expect(await page.locator('.gutter .is-marked').textContent()).toBe('2');
    await page.reload();
    expect(await program.inputValue()).toContain('print(total)');
  });

  it('runs the tests of an exercise', async () => {
    const page = await bench.open('/playground');
    const program = page.getByLabel('Program', { exact: true });
    await page.getByLabel('Exercise').selectOption('sum-of-evens');
    await page.getByText('evens').first().waitFor();
    await expect.poll(async () => program.inputValue()).toContain('def sum_of_evens');
    expect(await page.getByLabel('Tests', { exact: true }).count()).toBe(0);
    await program.fill('print(1)');
    await page.keyboard.press('Control+Enter');
    await page.locator('[data-case]').first().waitFor();
    await page.getByLabel('Exercise').selectOption('');
    await page.getByLabel('Tests', { exact: true }).waitFor();
  });
});
