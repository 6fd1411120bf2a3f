import type { z } from 'zod';
import type { uploadView } from '../../api/campaigns/mailings.ts';
import { type Campaign, campaignUrl, useMayEdit } from './blocks.tsx';
import { campaigns as campaignWords } from './words.ts';
import { FileField, FileRefused, useUploadWords } from '../kit/file-field.tsx';
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
  return (
    <form
      id={formId}
      method="post"
      action={`${campaignUrl(id)}/file`}
      data-names=""
      encType="multipart/form-data"
      data-upload={`/api/campaigns/${id}/mailing/file?source=csv`}
      {...useUploadWords()}
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
        {sent.refused && <FileRefused title={t.csv.refused} refused={sent.refused} />}
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
            <FileField
              label={t.fields['mailing.file']}
              help={`${t.csv.layoutHelp} ${mailingFile ? t.csv.replaceHelp : ''} ${t.csv.ownForm}`}
              form={formId}
            />
            <button type="submit" class="btn" form={formId} data-submit="">
              {mailingFile ? t.csv.replace : t.csv.upload}
            </button>
          </>
        )}
      </div>
    </section>
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
