import { TextField } from './fields.tsx';
import { useValues } from './form.tsx';
import { useFormat } from './view.tsx';

/** First those of Brazil, then all others. */
const names: readonly string[] = [
  'America/Sao_Paulo',
  'America/Manaus',
  'America/Cuiaba',
  'America/Fortaleza',
  'America/Recife',
  'America/Bahia',
  'America/Belem',
  'America/Porto_Velho',
  'America/Rio_Branco',
  'America/Noronha',
  ...Intl.supportedValuesOf('timeZone'),
];
const zones = [...new Set(names)];

/** A time zone: all zones are suggested, and any other name may be entered. */
export function TimezoneField(props: Pick<Parameters<typeof TextField>[0], 'name' | 'class' | 'data'>) {
  const format = useFormat();
  const now = useValues().optional(props.name) ?? format.timeZone;
  return (
    <>
      <TextField {...props} list="timezones" />
      <datalist id="timezones">
        {(zones.includes(now) ? zones : [now, ...zones]).map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}
