/** Something the person at the keyboard can put right: the message is all they read, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
