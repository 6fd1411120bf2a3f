export const timezoneListId = 'timezones';

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

/** The suggestions for a time zone field; any other name may be entered. */
export const TimezoneList = ({ now }: { now: string }) => (
  <datalist id={timezoneListId}>
    {(zones.includes(now) ? zones : [now, ...zones]).map((zone) => (
      <option key={zone} value={zone} />
    ))}
  </datalist>
);
