import type { EntryUse } from '../../api/settings/uses.ts';
import type { Locale } from '../../domain/user.ts';

const nouns = {
  'pt-BR': {
    campaign: 'a campanha',
    subcategory: 'a ocorrência',
    provider: 'o provedor',
    tickets: ['1 atendimento', 'atendimentos'],
    customers: ['1 cliente', 'clientes'],
    runs: ['1 execução', 'execuções'],
  },
  en: {
    campaign: 'the campaign',
    subcategory: 'the subcategory',
    provider: 'the provider',
    tickets: ['1 ticket', 'tickets'],
    customers: ['1 customer', 'customers'],
    runs: ['1 run', 'runs'],
  },
} as const;

/** What uses an entry, for a person: “a campanha “Cobrança”, 12 atendimentos”. */
export function usesInWords(locale: Locale, uses: readonly EntryUse[]): string {
  const words = nouns[locale];
  return uses
    .map((use) => {
      switch (use.kind) {
        case 'campaign':
        case 'subcategory':
        case 'provider':
          return `${words[use.kind]} “${use.name}”`;
        case 'tickets':
        case 'customers':
        case 'runs':
          return use.count === 1
            ? words[use.kind][0]
            : `${use.count.toLocaleString(locale)} ${words[use.kind][1]}`;
      }
    })
    .join(', ');
}
