import { urlOf } from '../kit/api.ts';
import { type Campaign, campaignUrl, fieldUrl, useMayEdit } from './blocks.tsx';
import { CampaignFrame } from './frame.tsx';
import { ActionButton } from '../kit/buttons.tsx';
import { ProblemSummary } from '../kit/form.tsx';
import { campaigns as campaignWords } from './words.ts';
import { common } from '../kit/words.ts';
import { Icon } from '../kit/icons.tsx';
import { Page } from '../kit/layout.tsx';
import { Occurrences } from './occurrences.tsx';
import { Card, Empty, type Fact, Facts, Table, Time } from '../kit/parts.tsx';
import { problemWords } from '../kit/problems.ts';
import { Retrying } from '../kit/retrying.tsx';
import { RecentRuns, type RunFigures } from '../reports/recent.tsx';
import { type RunSummary, useRunColumns } from '../runs/parts.tsx';
import { runs as runWords } from '../runs/words.ts';
import { useFormat, useMay, useWords } from '../kit/view.tsx';

/** How many of the last runs a campaign's page shows. */
export const runsShown = 5;

export function CampaignPage({
  campaign,
  runs,
  compared,
  tried,
}: {
  campaign: Campaign;
  runs: readonly RunSummary[];
  /** The last runs with their figures, to be compared. */
  compared: readonly RunFigures[];
  /** A user just tried to enable it. */
  tried: boolean;
}) {
  const t = useWords(campaignWords);
  const runTexts = useWords(runWords);
  const words = useWords(common);
  const format = useFormat();
  const mayChange = useMay('operator');
  const mayEdit = useMayEdit(campaign);
  const { id, definition, enabled, state, mailingFile, names, lastChange } = campaign;
  const { source } = definition.mailing;
  // A campaign whose dates are over may stay enabled.
  const problems = enabled
    ? campaign.problems.filter(({ code }) => code !== 'no_next_occurrence')
    : campaign.problems;
  const named = (...fields: readonly (keyof typeof t.fields)[]): Fact[] =>
    fields.map((field) => names[field] !== undefined && [t.fields[field], names[field]]);
  const { expiresAfterHours, runDespitePending, webservice } = definition.mailing;
  const { approval, canarySize, stopAtPercent } = definition.safeguards;
  const flags = [
    definition.ignoreConsent && t.fields.ignoreConsent,
    runDespitePending && t.fields['mailing.runDespitePending'],
    source === 'webservice' &&
      webservice.registerCustomers &&
      t.fields['mailing.webservice.registerCustomers'],
    expiresAfterHours !== null && t.flagsOf.expires(format.number(expiresAfterHours)),
    approval && t.fields['safeguards.approval'],
    canarySize !== null && t.flagsOf.canary(format.number(canarySize)),
    stopAtPercent !== null && t.flagsOf.stop(format.number(stopAtPercent)),
  ].filter((flag) => flag !== false);
  return (
    <CampaignFrame campaign={campaign} chart={compared.length > 0}>
      <Retrying retrying={campaign.retrying} what={t.planning} />
      {state !== 'archived' && problems.length > 0 && (
        <ProblemSummary
          problems={problems}
          failure={enabled ? t.enabledButBroken : t.incomplete(String(problems.length))}
          labels={t.fields}
          href={fieldUrl(id)}
          tone={tried ? 'danger' : 'warning'}
        />
      )}
      {!enabled && state !== 'archived' && problems.length === 0 && (
        <div class="alert alert-info" role="status">
          {t.complete}
        </div>
      )}
      {campaign.warnings.map((warning) => (
        <p key={warning.message} class="alert alert-warning">
          {problemWords(format, warning)} {mayEdit && <a href={campaignUrl(id, 'message')}>{t.edit}</a>}
        </p>
      ))}
      <div class="columns">
        <div>
          <Card
            title={t.summaryOf}
            actions={
              mayEdit && (
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
                        ? `: ${mailingFile.name === null ? '' : `${mailingFile.name}, `}${t.csv.facts(format.number(mailingFile.lines), format.bytes(mailingFile.bytes))}`
                        : ''}
                    </>
                  ),
                ],
                ...named('message.providerId', 'mailing.sendingHoursId', 'schedule.holidayCalendarId'),
                ...named('mailing.regionId', 'mailing.customerTypeId'),
                [t.fields['ticketPolicy.when'], t.when[definition.ticketPolicy.when]],
                ...named('ticketPolicy.departmentId', 'ticketPolicy.assigneeId'),
                flags.length > 0 && [t.flags, flags.map((line) => <div key={line}>{line}</div>)],
                [
                  t.changed,
                  <>
                    <Time at={lastChange?.at ?? campaign.updatedAt} />{' '}
                    {lastChange !== null && t.changedBy(lastChange.name)}
                  </>,
                ],
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
          <Table
            caption={runTexts.title}
            rows={runs}
            columns={useRunColumns({ withCampaign: false })}
            empty={<Empty icon="runs" title={runTexts.empty} text={runTexts.emptyText} />}
          />
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
            {mayChange && !enabled && state !== 'archived' && campaign.lastRun && (
              <li>
                <ActionButton action={`${campaignUrl(id)}/archive`} small>
                  {t.archive}
                </ActionButton>
                <p class="form-hint mb-0">{t.archiveHelp}</p>
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
      <RecentRuns campaignId={id} runs={compared} present={runs} />
    </CampaignFrame>
  );
}

/** The recurrence as text: "Semanal, a cada 2 semanas: segunda, quarta". */
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
  const counted =
    recurrence.interval === 1
      ? t.everyOne(t.unit[every])
      : t.everyN(format.number(recurrence.interval), t.units[every]);
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

/** What a run would send now, and when it would begin. */
export function RunNowText({ campaign: { definition, mailingFile, hours } }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  const format = useFormat();
  return (
    <>
      {definition.mailing.source === 'csv'
        ? t.runNowText(format.number(mailingFile?.lines ?? 0))
        : t.runNowWebservice}{' '}
      {hours?.open === false && (
        <strong>
          {hours.opensAt === null ? t.hoursNeverOpen : t.runNowLater(format.dateTime(hours.opensAt))}
        </strong>
      )}
    </>
  );
}
