import type { z } from 'zod';
import { keptWords, type lineProblemView, type warningsView } from '../../api/campaigns/mailing-check.ts';
import { useFormat, useWords } from './view.tsx';
import { lineWords } from './words-lines.ts';

type LineProblem = z.output<typeof lineProblemView>;
type Warnings = z.output<typeof warningsView>;

/** Problems of lines, one in each row. */
export function LineProblems({ problems }: { problems: readonly LineProblem[] }) {
  const t = useWords(lineWords);
  const format = useFormat();
  const withValues = problems.some(({ value }) => value !== null);
  return (
    <table class="table table-sm mt-2">
      <thead>
        <tr>
          <th scope="col" class="numeric">
            {t.line}
          </th>
          <th scope="col">{t.problem}</th>
          {withValues && <th scope="col">{t.value}</th>}
        </tr>
      </thead>
      <tbody>
        {problems.map((problem, index) => (
          <tr key={index}>
            <td class="numeric">{format.number(problem.line)}</td>
            <td>{keptWords(problem, format)}</td>
            {withValues && (
              <td class="long-text">
                <code>{problem.value ?? ''}</code>
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Warnings by type, with the first of each. Nothing if there are none. */
export function LineWarnings({
  warnings: { lines, of },
  first = [],
}: {
  warnings: Warnings;
  first?: readonly LineProblem[];
}) {
  const t = useWords(lineWords);
  const format = useFormat();
  if (lines === 0) return null;
  return (
    <>
      <p class="mb-1 mt-2">
        <strong>{t.title(format.number(lines))}</strong>
      </p>
      <p class="form-hint">{t.help}</p>
      <ul>
        {of.map((one) => (
          <li key={JSON.stringify([one.code, one.params])}>
            {keptWords(one, format)} ({format.number(one.lines)})
          </li>
        ))}
      </ul>
      {first.length > 0 && (
        <details>
          <summary>{t.first(format.number(first.length))}</summary>
          <LineProblems problems={first} />
        </details>
      )}
    </>
  );
}
