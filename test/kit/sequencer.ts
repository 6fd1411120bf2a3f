import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take a minute or more, the longest first. A first run sorts files by size, so that some of these would start
 * last and run alone.
 */
const slowFiles = [
  'console/pages',
  'system/runs.trouble',
  'console/story',
  'system/runs.hours',
  'system/runs.failures',
  'console/plans',
  'console/states',
  'system/sender',
  'system/workers.versions',
  'system/runs.webservice',
  'api/alerts',
  'system/embedded',
  'system/client.restart',
  'system/runs.slots',
].map((name) => `/test/${name}.test.ts`);

export class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const groupOf = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = slowFiles.findIndex((name) => moduleId.endsWith(name));
      return rank < 0 ? slowFiles.length : rank;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b));
  }
}
