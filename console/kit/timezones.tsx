export const timezoneListId = 'timezones';

/** First those of Brazil, then the rest of the world's. */
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

/** What a field for a time zone offers; any other name may be typed. */
export const TimezoneList = ({ now }: { now: string }) => (
  <datalist id={timezoneListId}>
    {(zones.includes(now) ? zones : [now, ...zones]).map((zone) => (
      <option key={zone} value={zone} />
    ))}
  </datalist>
);
