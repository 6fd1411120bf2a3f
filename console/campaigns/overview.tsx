import { urlOf } from '../kit/api.ts';
import { type Campaign, campaignUrl, fieldUrl } from './blocks.tsx';
import { CampaignFrame } from './frame.tsx';
import { ActionButton } from '../kit/buttons.tsx';
import { ProblemSummary } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { Occurrences } from './occurrences.tsx';
import { Card, ConfirmPage, Facts, Time } from '../kit/parts.tsx';
import { Retrying } from '../kit/retrying.tsx';
import { type RunSummary, RunTable } from '../runs/parts.tsx';
import { useFormat, useMay, useWords } from '../kit/view.tsx';

/** So many of the last runs stand on a campaign's page. */
export const runsShown = 5;

export function CampaignPage({
  campaign,
  runs,
  tried,
}: {
  campaign: Campaign;
  runs: readonly RunSummary[];
  /** Somebody just wanted to enable it. */
  tried: boolean;
}) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const format = useFormat();
  const mayChange = useMay('operator');
  const { id, definition, problems, enabled, mailingFile } = campaign;
  const { source } = definition.mailing;
  return (
    <CampaignFrame campaign={campaign}>
      <Retrying retrying={campaign.retrying} what={t.planning} />
      {!enabled && problems.length > 0 && (
        <ProblemSummary
          problems={problems}
          failure={t.incomplete(String(problems.length))}
          labels={t.fields}
          href={fieldUrl(id)}
          tone={tried ? 'danger' : 'warning'}
        />
      )}
      {!enabled && problems.length === 0 && (
        <div class="alert alert-info" role="status">
          {t.complete}
        </div>
      )}
      <div class="columns">
        <div>
          <Card
            title={t.summaryOf}
            actions={
              mayChange && (
                <a class="btn btn-sm" href={campaignUrl(id, 'schedule')}>
                  {t.edit}
                </a>
              )
            }
          >
            {definition.description !== '' && <p>{definition.description}</p>}
            <Facts
              facts={[
                [t.fields['schedule.recurrence'], <Recurrence schedule={definition.schedule} />],
                [t.fields['schedule.timezone'], format.zone(definition.schedule.timezone)],
                [
                  t.recipients,
                  source === null ? (
                    words.none
                  ) : (
                    <>
                      {t.sources[source]}
                      {source === 'csv' && mailingFile
                        ? `, ${t.csv.facts(format.number(mailingFile.lines), format.bytes(mailingFile.bytes))}`
                        : ''}
                    </>
                  ),
                ],
                [t.fields['ticketPolicy.when'], t.when[definition.ticketPolicy.when]],
                [t.changed, <Time at={campaign.updatedAt} />],
              ]}
            />
            {definition.message.template !== null && (
              <blockquote class="bubble mt-3">{definition.message.template}</blockquote>
            )}
          </Card>
          <h2 class="h3 section-title">
            {t.history}
            {runs.length === runsShown && (
              <a href={urlOf('/runs', { campaignId: id })} class="ms-2 small">
                {t.allRuns}
              </a>
            )}
          </h2>
          <RunTable runs={runs} withCampaign={false} />
        </div>
        <aside>
          <Card title={t.occurrences}>
            <Occurrences
              ahead={{ occurrences: campaign.nextOccurrences }}
              timezone={definition.schedule.timezone}
            />
          </Card>
          <ul class="list-unstyled more">
            {campaign.temporalUrl !== null && enabled && (
              <li>
                <a href={campaign.temporalUrl} target="_blank" rel="noreferrer">
                  <Icon name="external" /> {t.temporal}
                </a>
              </li>
            )}
            {mayChange && (
              <li>
                <a href={urlOf('/settings/audit', { subjectKind: 'campaign', subjectId: id })}>{t.audit}</a>
              </li>
            )}
            {mayChange && (
              <li>
                <ActionButton action={`${campaignUrl(id)}/duplicate`} small>
                  {t.duplicate}
                </ActionButton>
              </li>
            )}
            {mayChange && !enabled && !campaign.lastRun && (
              <li>
                <a class="btn btn-sm" href={`${campaignUrl(id)}/delete`}>
                  {t.deleteIt}
                </a>
              </li>
            )}
          </ul>
        </aside>
      </div>
    </CampaignFrame>
  );
}

/** The recurrence in words: "Semanal, a cada 2 semanas: segunda, quarta". */
function Recurrence({
  schedule: { recurrence, startsAt },
}: {
  schedule: Campaign['definition']['schedule'];
}) {
  const t = useWords(campaignWords);
  const format = useFormat();
  const { every } = recurrence;
  if (every === 'once') return <>{`${t.every.once}, ${format.wallTime(startsAt)}`}</>;
  if (every === 'rule') return <code>{recurrence.rrule}</code>;
  const counted = t.everyN(format.number(recurrence.interval), t.units[every]);
  if (every === 'minutes' || every === 'hours') return <>{counted}</>;
  const days =
    every === 'week'
      ? recurrence.days.map((day) => t.weekdays[day]).join(', ')
      : every === 'month'
        ? t.onDay(recurrence.dayOfMonth === 'last' ? t.lastDay : String(recurrence.dayOfMonth))
        : '';
  const parts = [t.every[every], recurrence.interval > 1 ? counted : '', days, startsAt.slice(11, 16)];
  return <>{parts.filter((part) => part !== '').join(', ')}</>;
}

export function DisablePage({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const words = useWords(common);
  const { id, lastRun, definition } = campaign;
  const live = lastRun && ['running', 'paused'].includes(lastRun.status) ? lastRun : null;
  return (
    <Page title={`${t.disable}: ${definition.name}`} section="campaigns">
      <div class="card narrow">
        <div class="card-body">
          <p>{t.disableText}</p>
          {live && <p>{t.disableRun(String(live.id))}</p>}
          <div class="buttons">
            <ActionButton action={`${campaignUrl(id)}/disable`} kind="primary">
              {t.disable}
            </ActionButton>
            {live && (
              <ActionButton action={`${campaignUrl(id)}/disable?cancelRun=true`} kind="danger">
                {t.disableAndCancel}
              </ActionButton>
            )}
            <a class="btn" href={campaignUrl(id)}>
              {words.cancel}
            </a>
          </div>
        </div>
      </div>
    </Page>
  );
}

export function RunNowPage({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const format = useFormat();
  const { id, definition, mailingFile } = campaign;
  return (
    <ConfirmPage
      title={`${t.runNow}: ${definition.name}`}
      section="campaigns"
      text={
        definition.mailing.source === 'csv'
          ? t.runNowText(format.number(mailingFile?.lines ?? 0))
          : t.runNowWebservice
      }
      note={t.runNowNote}
      action={`${campaignUrl(id)}/run-now`}
      button={t.runNow}
      back={campaignUrl(id)}
    />
  );
}

export function DeletePage({ campaign }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const { id, definition } = campaign;
  return (
    <ConfirmPage
      title={t.deleteIt}
      section="campaigns"
      text={t.deleteText(definition.name)}
      action={`${campaignUrl(id)}/delete`}
      button={t.deleteIt}
      back={campaignUrl(id)}
    />
  );
}
