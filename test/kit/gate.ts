/** Blocks code until a test opens it. It is open at first. */
export interface Gate {
  /** The number of callers that wait. */
  readonly waiting: number;
  /** Resolves when the gate is open. */
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
