import type { SettingKind } from '../../domain/settings.ts';
import type { Role } from '../../domain/user.ts';
import type { Dictionary } from '../kit/dictionary.ts';
import type { settingWords } from './words.ts';
import { accessWords } from '../access/words.ts';
import { integrationWords } from './words-integrations.ts';
import { privacyWords } from '../customers/words-privacy.ts';
import { replyWordTexts } from '../replies/words-reply-words.ts';
import { providerWords } from '../providers/words.ts';
import { ticketPostWords } from '../tickets/words-posts.ts';

interface Words {
  title: string;
  about: string;
}

interface SettingsGroup {
  name: keyof (typeof settingWords)['en']['groups'];
  kinds: readonly SettingKind[];
  /** Settings with pages of their own. */
  pages: readonly { href: string; label: Dictionary<Words>; access?: Role }[];
}

/** What stands on the settings' page, in its order. Pages of a new noun add theirs here. */
export const settingsGroups: readonly SettingsGroup[] = [
  {
    name: 'sending',
    kinds: ['sendingHours', 'holidayCalendars'],
    pages: [
      { href: '/settings/providers', label: pageOf(providerWords) },
      { href: '/settings/integrations', label: pageOf(integrationWords) },
    ],
  },
  {
    name: 'tickets',
    kinds: ['departments', 'assignees', 'categories', 'subcategories', 'extraFieldGroups', 'resolutions'],
    pages: [
      { href: '/settings/ticket-posting', label: pageOf(ticketPostWords), access: 'admin' },
      { href: '/settings/ticket-posts', label: postsOf(ticketPostWords), access: 'operator' },
    ],
  },
  {
    name: 'customers',
    kinds: ['regions', 'customerTypes'],
    pages: [
      { href: '/settings/reply-words', label: pageOf(replyWordTexts) },
      { href: '/settings/privacy', label: pageOf(privacyWords) },
    ],
  },
  {
    name: 'access',
    kinds: [],
    pages: [
      { href: '/settings/users', label: pick('users'), access: 'admin' },
      { href: '/settings/tokens', label: pick('tokens'), access: 'admin' },
      { href: '/settings/audit', label: pick('audit'), access: 'operator' },
    ],
  },
];

/** A noun's own words for its place among the settings. */
function pageOf(words: Dictionary<{ page: Words }>): Dictionary<Words> {
  return { 'pt-BR': words['pt-BR'].page, en: words.en.page };
}

function postsOf(words: Dictionary<{ posts: Words }>): Dictionary<Words> {
  return { 'pt-BR': words['pt-BR'].posts, en: words.en.posts };
}

function pick(page: 'users' | 'tokens' | 'audit'): Dictionary<Words> {
  return { 'pt-BR': accessWords['pt-BR'].pages[page], en: accessWords.en.pages[page] };
}
