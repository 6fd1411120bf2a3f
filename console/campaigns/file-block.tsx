import type { z } from 'zod';
import type { uploadView } from '../../api/campaigns/mailings.ts';
import type { ApiFailure } from '../kit/api.ts';
import { type Campaign, campaignUrl, useMayEdit } from './blocks.tsx';
import { campaigns as campaignWords } from './words.ts';
import { failureWords, problemWords } from '../kit/problems.ts';
import { CostSentence } from '../money/cost.tsx';
import { runs as runWords } from '../runs/words.ts';
import { Icon } from '../kit/icons.tsx';
import { LineProblems, LineWarnings } from '../kit/line-problems.tsx';
import { Time } from '../kit/parts.tsx';
import type { Uploaded } from '../kit/uploads.ts';
import { useFormat, useWords } from '../kit/view.tsx';

type Upload = z.output<typeof uploadView>;

export type Sent = Uploaded<Upload>;

const formId = 'file-form';

/**
 * The form of the file. Its controls are inside the block's form, and belong to this one by their `form`: a long upload
 * and the block's fields do not wait for each other.
 */
export function FileForm({ campaign: { id } }: { campaign: Campaign }) {
  const t = useWords(campaignWords);
  return (
    <form
      id={formId}
      method="post"
      action={`${campaignUrl(id)}/file`}
      data-names=""
      encType="multipart/form-data"
      data-upload={`/api/campaigns/${id}/mailing/file?source=csv`}
      data-uploading={t.csv.uploading}
      data-checking={t.csv.checking}
    />
  );
}

/** The present file, the result of the last upload, and the controls to replace the file. */
export function FileBlock({ campaign, sent }: { campaign: Campaign; sent: Sent }) {
  const t = useWords(campaignWords);
  const format = useFormat();
  const mayChange = useMayEdit(campaign);
  const { id, mailingFile } = campaign;
  const address = `/api/campaigns/${id}/mailing`;
  return (
    <section class="card mb-3">
      <div class="card-header">
        <h2 class="card-title">{t.csv.title}</h2>
        <div class="card-actions">
          <a class="btn btn-sm" href={`${address}/layout`} download>
            <Icon name="download" /> {t.csv.layout}
          </a>
        </div>
      </div>
      <div class="card-body">
        {sent.refused && <UploadRefused refused={sent.refused} />}
        {sent.accepted && (
          <UploadResult
            upload={sent.accepted}
            badLines={`${address}/bad-lines.csv`}
            providerId={campaign.definition.message.providerId}
          />
        )}
        {mailingFile ? (
          <p>
            {t.csv.present}:{' '}
            <strong>
              {mailingFile.name === null ? '' : `${mailingFile.name}, `}
              {t.csv.facts(format.number(mailingFile.lines), format.bytes(mailingFile.bytes))}
            </strong>
            {', '}
            {t.csv.uploadedAt} <Time at={mailingFile.uploadedAt} />.{' '}
            <a href={`${address}/file/content`} download>
              {t.csv.content}
            </a>
          </p>
        ) : (
          <p class="text-secondary">{t.csv.none}</p>
        )}
        {mayChange && (
          <>
            <label class="form-label" for="file">
              {t.fields['mailing.file']}
            </label>
            <input
              class="form-control mb-2"
              type="file"
              id="file"
              name="file"
              form={formId}
              accept=".csv,text/csv,text/plain"
              aria-describedby="file-help"
              required
            />
            <p class="form-hint" id="file-help">
              {t.csv.layoutHelp} {mailingFile ? t.csv.replaceHelp : ''} {t.csv.ownForm}
            </p>
            <div class="upload-progress mb-3" data-upload-progress="" hidden>
              <p role="status" class="mb-1" />
              <progress class="progress mb-2" max={100} value={0} aria-label={t.csv.uploading} />
              <button type="button" class="btn btn-sm" data-cancel="">
                {t.csv.cancel}
              </button>
            </div>
            <button type="submit" class="btn" form={formId} data-submit="">
              {mailingFile ? t.csv.replace : t.csv.upload}
            </button>
          </>
        )}
      </div>
    </section>
  );
}

/** What was expected, what was found, and where: the user fixes the file outside of the console. */
function UploadRefused({ refused }: { refused: ApiFailure }) {
  const t = useWords(campaignWords);
  const format = useFormat();
  const { line, expected, found } = refused.details;
  const words =
    refused.problems.length > 0
      ? refused.problems.map((problem) => problemWords(format, problem)).join(' ')
      : failureWords(format, refused);
  const where = typeof line === 'number' && !words.includes(String(line)) ? line : null;
  return (
    <div class="alert alert-danger" role="alert" tabIndex={-1} data-focus="">
      <p class="alert-title">{t.csv.refused}</p>
      <p class="mb-1">
        {where === null ? '' : `${t.csv.line} ${format.number(where)}: `}
        {words}
      </p>
      {typeof expected === 'string' && (
        <p class="mb-1">
          {t.csv.expected}: <code>{expected}</code>
        </p>
      )}
      {typeof found === 'string' && (
        <p class="mb-0">
          {t.csv.found}: <code>{found}</code>
        </p>
      )}
    </div>
  );
}

function UploadResult({
  upload,
  badLines,
  providerId,
}: {
  upload: Upload;
  badLines: string;
  providerId: number | null;
}) {
  const t = useWords(campaignWords);
  const run = useWords(runWords);
  const format = useFormat();
  const { sendable, file, skipped, problems, warnings } = upload;
  const reasons = Object.entries(skipped);
  return (
    <div
      class={`alert ${reasons.length === 0 && warnings.lines === 0 ? 'alert-success' : 'alert-warning'}`}
      role="status"
      tabIndex={-1}
      data-focus=""
    >
      <p class="alert-title">{t.csv.result(format.number(sendable), format.number(file.lines))}</p>
      {upload.cost.segments > 0 && (
        <p class="mb-2">
          <CostSentence cost={upload.cost} providerId={providerId} />
        </p>
      )}
      <p class="mb-2">{t.csv.counts}</p>
      {reasons.length > 0 && (
        <>
          <p class="mb-1">{t.csv.leftOut}</p>
          <ul>
            {reasons.map(([reason, count]) => (
              <li key={reason}>
                {run.reason[reason] ?? reason}: {format.number(count)}
              </li>
            ))}
          </ul>
          <details open>
            <summary>{t.csv.first(format.number(problems.length))}</summary>
            <LineProblems problems={problems} />
          </details>
        </>
      )}
      <LineWarnings warnings={warnings} first={warnings.first} />
      {(reasons.length > 0 || warnings.lines > 0) && (
        <>
          <a class="btn btn-sm" href={badLines} download>
            <Icon name="download" /> {t.csv.badLines}
          </a>
          <p class="form-hint mt-1 mb-0">{t.csv.badLinesHelp}</p>
        </>
      )}
    </div>
  );
}
