/** Phones that a mailing has named so far. */
export interface PhonesSeen {
  /** Adds a phone (E.164); false when it was there already. */
  add(e164: string): boolean;
  has(e164: string): boolean;
}

const smallest = 1024;

/**
 * A hash table of numbers in one typed array, which grows to 8 to 32 bytes for each phone: 16 MB for a million, where a
 * Set of numbers takes 50 and of strings 100.
 */
export function createPhonesSeen(): PhonesSeen {
  // Unforeseeable, so that nobody can write a file whose phones all want the same place.
  const seed = Math.trunc(Math.random() * 2 ** 32);
  let slots = new Float64Array(smallest);
  let count = 0;

  /** Where the key is, or the free place where it would be. A free one is 0, which is no phone. */
  const placeOf = (key: number): number => {
    const mask = slots.length - 1;
    let hash = Math.imul((key >>> 0) ^ seed, 0x9e3779b1) ^ Math.imul(key / 2 ** 32, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    let place = (hash ^ (hash >>> 13)) & mask;
    for (let found = slots[place]; found !== 0 && found !== key; found = slots[place])
      place = (place + 1) & mask;
    return place;
  };
  const grow = (): void => {
    const before = slots;
    slots = new Float64Array(before.length * 2);
    for (const key of before) if (key !== 0) slots[placeOf(key)] = key;
  };

  return {
    has: (e164) => slots[placeOf(Number(e164))] !== 0,
    add(e164) {
      const key = Number(e164);
      const place = placeOf(key);
      if (slots[place] !== 0) return false;
      slots[place] = key;
      if (++count * 2 > slots.length) grow();
      return true;
    },
  };
}
