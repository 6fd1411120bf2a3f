import { type SettingKind, settingKindNames, settingKinds } from '../../domain/settings.ts';
import type { Permission } from '../../domain/user.ts';
import type { Dictionary } from '../kit/dictionary.ts';
import type { settingWords } from './words.ts';
import { alertWords } from '../alerts/words.ts';
import { accessWords } from '../access/words.ts';
import { companyWords } from './words-company.ts';
import { integrationWords } from './words-integrations.ts';
import { privacyWords } from '../customers/words-privacy.ts';
import { moneyWords } from '../money/words.ts';
import { replyWordTexts } from '../replies/words-reply-words.ts';
import { automaticTextWords } from '../replies/words-automatic-texts.ts';
import { providerWords } from '../providers/words.ts';
import { ticketAutomationWords } from '../tickets/words-automation.ts';
import { ticketPostWords } from '../tickets/words-posts.ts';

interface Words {
  title: string;
  about: string;
}

interface SettingsGroup {
  name: keyof (typeof settingWords)['en']['groups'];
  kinds: readonly SettingKind[];
  /** Settings with their own pages. */
  pages: readonly { href: string; label: Dictionary<Words>; access?: Permission }[];
}

/** The contents of the settings page, in order. Pages of a new noun add theirs here. */
export const settingsGroups: readonly SettingsGroup[] = [
  {
    name: 'sending',
    kinds: kindsOf('sending'),
    pages: [
      { href: '/settings/providers', label: pageOf(providerWords) },
      { href: '/settings/costs', label: pageOf(moneyWords) },
      { href: '/settings/integrations', label: pageOf(integrationWords) },
    ],
  },
  {
    name: 'tickets',
    kinds: kindsOf('tickets'),
    pages: [
      { href: '/settings/ticket-automation', label: pageOf(ticketAutomationWords) },
      { href: '/settings/ticket-posting', label: pageOf(ticketPostWords), access: 'admin' },
      { href: '/settings/ticket-posts', label: postsOf(ticketPostWords), access: 'operator' },
    ],
  },
  {
    name: 'customers',
    kinds: kindsOf('customers'),
    pages: [
      { href: '/settings/reply-words', label: pageOf(replyWordTexts) },
      { href: '/settings/automatic-texts', label: pageOf(automaticTextWords) },
      { href: '/settings/privacy', label: pageOf(privacyWords) },
    ],
  },
  {
    name: 'access',
    kinds: [],
    pages: [
      { href: '/settings/company', label: pageOf(companyWords) },
      { href: '/settings/users', label: pick('users'), access: 'admin' },
      { href: '/settings/alerts', label: pageOf(alertWords), access: 'admin' },
      { href: '/settings/tokens', label: pick('tokens'), access: 'admin' },
      { href: '/settings/audit', label: pick('audit'), access: 'operator' },
    ],
  },
];

function kindsOf(group: (typeof settingKinds)[SettingKind]['group']): SettingKind[] {
  return settingKindNames.filter((kind) => settingKinds[kind].group === group);
}

/** A noun's own words for its entry among the settings. */
function pageOf(words: Dictionary<{ page: Words }>): Dictionary<Words> {
  return { 'pt-BR': words['pt-BR'].page, en: words.en.page };
}

function postsOf(words: Dictionary<{ posts: Words }>): Dictionary<Words> {
  return { 'pt-BR': words['pt-BR'].posts, en: words.en.posts };
}

function pick(page: 'users' | 'tokens' | 'audit'): Dictionary<Words> {
  return { 'pt-BR': accessWords['pt-BR'].pages[page], en: accessWords.en.pages[page] };
}
