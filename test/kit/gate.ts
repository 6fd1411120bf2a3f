/** Where something waits until a test lets it go on. Open at first. */
export interface Gate {
  /** How many wait now. */
  readonly waiting: number;
  /** Resolves once the gate is open. */
  pass(): Promise<void>;
  open(): void;
  close(): void;
}

export function createGate(): Gate {
  let waiting = 0;
  let opened = Promise.resolve();
  let open = (): void => undefined;
  return {
    get waiting() {
      return waiting;
    },
    async pass() {
      waiting++;
      await opened;
      waiting--;
    },
    open: () => open(),
    close() {
      opened = new Promise((resolve) => {
        open = resolve;
      });
    },
  };
}
