import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** Someone who uses the console, and what they use it with. */
export interface Hands {
  /** Uses a link or a button. */
  press(target: Locator): Promise<void>;
  /** Replaces what stands in a field. */
  write(target: Locator, text: string): Promise<void>;
  /** Takes an option of a list by its label. */
  choose(target: Locator, label: string): Promise<void>;
  /** Fills in a date and a time, whichever. */
  date(target: Locator): Promise<void>;
  /** Ticks a box, or takes one of several. */
  tick(target: Locator): Promise<void>;
}

export const byMouse: Hands = {
  press: (target) => target.click(),
  write: (target, text) => target.fill(text),
  async choose(target, label) {
    await target.selectOption({ label });
  },
  date: (target) => target.fill('2026-01-05T09:00'),
  tick: (target) => target.check(),
};

/** More than any page has places to stop at. */
const mostStops = 250;
const mostOptions = 100;

/** With the keyboard alone. Wherever it comes to, the focus has to be seen. */
export function byKeyboard(page: Page): Hands {
  /** Tab, until the focus is where it is wanted. */
  async function reach(
    target: Locator,
    isThere: () => Promise<boolean> = () => hasFocus(target),
  ): Promise<void> {
    await target.waitFor();
    for (let stops = 0; !(await isThere()); stops++) {
      if (stops > mostStops) throw new Error(`The keyboard does not come to ${target.toString()}.`);
      await page.keyboard.press('Tab');
    }
  }
  async function reachSeen(target: Locator): Promise<void> {
    await reach(target);
    expect(await showsFocus(target), `the focus on ${target.toString()}`).toBe(true);
  }

  return {
    async press(target) {
      await reachSeen(target);
      await page.keyboard.press('Enter');
    },
    async write(target, text) {
      await reachSeen(target);
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
    },
    async choose(target, label) {
      await reachSeen(target);
      // To its first option, and down from there: each arrow takes the next that can be taken.
      await page.keyboard.press('Home');
      for (let options = 0; (await chosenLabel(target)) !== label; options++) {
        if (options > mostOptions) throw new Error(`There is no option ${label} in ${target.toString()}.`);
        await page.keyboard.press('ArrowDown');
      }
    },
    async date(target) {
      await reachSeen(target);
      // Day, month, year, hour, minute, and half of the day where there are such: each takes its first value.
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
        await reachSeen(target);
        await page.keyboard.press('Space');
        return;
      }
      // The group is one stop, and arrows take another of it.
      await reach(target, () => target.evaluate(isOfGroupWithFocus, name));
      await page.keyboard.press('Space');
      for (let options = 0; !(await target.isChecked()); options++) {
        if (options > mostOptions) throw new Error(`The arrows do not come to ${target.toString()}.`);
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

/** A line around it, or a shadow. */
const showsFocus = (target: Locator): Promise<boolean> =>
  target.evaluate((element) => {
    const style = element.ownerDocument.defaultView?.getComputedStyle(element);
    return style !== undefined && (style.outlineStyle !== 'none' || style.boxShadow !== 'none');
  });

const chosenLabel = (target: Locator): Promise<string> =>
  target.evaluate((element) =>
    element instanceof HTMLSelectElement ? (element.selectedOptions[0]?.label.trim() ?? '') : '',
  );
