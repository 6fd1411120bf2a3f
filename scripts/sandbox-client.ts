import type { System } from './system.ts';

/** Calls the control API of the sandbox, such as `PUT faults`. Returns its answer. */
export async function callSandbox(
  { sandbox }: Pick<System, 'sandbox'>,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${sandbox.url}/sandbox/${path}`, {
    method,
    headers: { authorization: `Bearer ${sandbox.authToken}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`The sandbox answered ${response.status}: ${await response.text()}`);
  return response.json();
}
