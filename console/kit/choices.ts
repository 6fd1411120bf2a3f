import { z } from 'zod';
import { integrationListView } from '../../api/settings/integrations.ts';
import { providerView } from '../../api/providers/providers.ts';
import { settingPath, settingView } from '../../api/settings/settings.ts';
import type { SettingKind } from '../../domain/settings.ts';
import type { Api } from './api.ts';
import type { Option } from './fields.tsx';

const entries = (kind: SettingKind) => z.object({ entries: z.array(settingView(kind)) });

/** All entries of a kind of settings, by name. */
export async function settingsOf(api: Api, kind: SettingKind) {
  const list = await api.get(settingPath(kind), entries(kind));
  return list.entries.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** What mailings and customers are classified by. */
export async function settingsOfCustomers(api: Api) {
  const [regions, customerTypes] = await Promise.all([
    settingsOf(api, 'regions'),
    settingsOf(api, 'customerTypes'),
  ]);
  return { regions, customerTypes };
}
export type CustomerSettings = Awaited<ReturnType<typeof settingsOfCustomers>>;

/** What a list to choose from offers: archived ones only where they are the ones chosen. */
export function optionsOf(
  list: readonly { id: number; name: string; archivedAt: Date | null }[],
  chosen: string,
): Option[] {
  return list
    .filter(({ id, archivedAt }) => archivedAt === null || String(id) === chosen)
    .map(({ id, name }) => ({ value: String(id), label: name }));
}

export async function providersOf(api: Api) {
  const { providers } = await api.get('/api/providers', z.object({ providers: z.array(providerView) }));
  return providers;
}

export const integrationsOf = async (api: Api) =>
  (await api.get('/api/integrations', integrationListView)).integrations;
