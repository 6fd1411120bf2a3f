/** The parts of smpp that the tests use. The package has no types. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server } from 'node:net';

  export interface Pdu {
    command: string;
    command_status: number;
    source_addr: string;
    destination_addr: string;
    data_coding: number;
    short_message: { message: string | Buffer };
    response(fields?: Record<string, unknown>): Pdu;
  }
  export interface Session extends EventEmitter {
    send(pdu: Pdu): boolean;
    deliver_sm(fields: Record<string, unknown>): void;
    close(): void;
  }
  const smpp: { createServer(onSession: (session: Session) => void): Server };
  export default smpp;
}
