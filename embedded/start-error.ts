/** An error that the operator can fix: the message is all that is shown, without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
