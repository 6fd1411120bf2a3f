import { randomBytes } from 'node:crypto';
import { TextField } from './fields.tsx';
import { Rows } from './rows.tsx';

/** The secrets of a program that receives our calls: the one that signs them, and headers with stored values. */

const newSecret = (): string => randomBytes(32).toString('base64url');

/** The stored settings of such a program in their form, or, without any, the initial values of new ones. */
export const receiverValues = (stored: { headerNames: readonly string[] } | null, fresh: object): object =>
  stored === null
    ? { ...fresh, secret: newSecret() }
    : { ...stored, headers: stored.headerNames.map((name) => ({ name, value: '' })) };

/** The secret that signs the calls. A stored one is never shown; a new one is generated here, and must be visible. */
export const SecretField = ({
  stored,
  words,
}: {
  stored: boolean;
  words: { secretStored: string; secretHelp: string };
}) => (
  <TextField
    name="secret"
    required={!stored}
    autocomplete="new-password"
    type={stored ? 'password' : 'text'}
    help={stored ? words.secretStored : words.secretHelp}
  />
);

/** Headers that are sent with each call; their values are never shown again. */
export const HeaderRows = ({ title, hint }: { title: string; hint?: string }) => (
  <>
    <h3 class="form-label">{title}</h3>
    {hint !== undefined && <p class="form-hint">{hint}</p>}
    <Rows name="headers" label={title}>
      {(row) => (
        <>
          <TextField name={`${row}.name`} class="" />
          <TextField
            name={`${row}.value`}
            class="edit-row-wide"
            type="password"
            autocomplete="new-password"
          />
        </>
      )}
    </Rows>
  </>
);
