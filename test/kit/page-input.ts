import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Operates a page with the mouse or the keyboard. */
export interface PageInput {
  /** Uses a link or a button. */
  press(target: Locator): Promise<void>;
  /** Replaces the value of a field. */
  write(target: Locator, text: string): Promise<void>;
  /** Selects an option of a list by its label. */
  choose(target: Locator, label: string): Promise<void>;
  /** Fills in any date and time. */
  date(target: Locator): Promise<void>;
  /** Checks a box or selects a radio button. */
  tick(target: Locator): Promise<void>;
}

export const byMouse: PageInput = {
  press: (target) => target.click(),
  write: (target, text) => target.fill(text),
  async choose(target, label) {
    await target.selectOption({ label });
  },
  date: (target) => target.fill('2026-01-05T09:00'),
  tick: (target) => target.check(),
};

/** More than the tab stops of any page. */
const maxStops = 250;
const maxOptions = 100;

/** Uses only the keyboard, and expects the focus to be visible. */
export function byKeyboard(page: Page): PageInput {
  /** Presses Tab until the target has the focus. */
  async function reach(
    target: Locator,
    isThere: () => Promise<boolean> = () => hasFocus(target),
  ): Promise<void> {
    await target.waitFor();
    for (let stops = 0; !(await isThere()); stops++) {
      if (stops > maxStops) throw new Error(`The keyboard cannot reach ${target.toString()}.`);
      await page.keyboard.press('Tab');
    }
  }
  async function reachVisibly(target: Locator): Promise<void> {
    await reach(target);
    expect(await showsFocus(target), `the focus on ${target.toString()}`).toBe(true);
  }

  return {
    async press(target) {
      await reachVisibly(target);
      await page.keyboard.press('Enter');
    },
    async write(target, text) {
      await reachVisibly(target);
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
    },
    async choose(target, label) {
      await reachVisibly(target);
      // Goes to the first option and then down, because each arrow selects the next enabled option.
      await page.keyboard.press('Home');
      for (let options = 0; (await chosenLabel(target)) !== label; options++) {
        if (options > maxOptions) throw new Error(`There is no option ${label} in ${target.toString()}.`);
        await page.keyboard.press('ArrowDown');
      }
    },
    async date(target) {
      await reachVisibly(target);
      // Day, month, year, hour, minute, and AM or PM if the locale has it: each gets its first value.
      for (let part = 0; part < 6; part++) {
        await page.keyboard.press('ArrowUp');
        await page.keyboard.press('ArrowRight');
      }
      expect(await target.inputValue()).toMatch(/^20\d\d-/);
    },
    async tick(target) {
      if (await target.isChecked()) return;
      const [type, name] = [await target.getAttribute('type'), await target.getAttribute('name')];
      if (type !== 'radio') {
        await reachVisibly(target);
        await page.keyboard.press('Space');
        return;
      }
      // The radio group is one tab stop, and arrows select another button of it.
      await reach(target, () => target.evaluate(isOfGroupWithFocus, name));
      await page.keyboard.press('Space');
      for (let options = 0; !(await target.isChecked()); options++) {
        if (options > maxOptions) throw new Error(`The arrow keys cannot reach ${target.toString()}.`);
        await page.keyboard.press('ArrowDown');
      }
      expect(await showsFocus(target), `the focus on ${target.toString()}`).toBe(true);
    },
  };
}

const hasFocus = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => element.ownerDocument.activeElement === element);

const isOfGroupWithFocus = (element: Element, name: string | null): boolean =>
  element.ownerDocument.activeElement?.getAttribute('name') === name;

/** An outline or a shadow. */
const showsFocus = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => {
    const style = element.ownerDocument.defaultView?.getComputedStyle(element);
    return style !== undefined && (style.outlineStyle !== 'none' || style.boxShadow !== 'none');
  });

const chosenLabel = (target: Locator): Promise<string> =>
  target.evaluate((element) =>
    element instanceof HTMLSelectElement ? (element.selectedOptions[0]?.label.trim() ?? '') : '',
  );
