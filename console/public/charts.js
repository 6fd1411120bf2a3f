// Charts (uPlot), drawn from the data that stands in their boxes. The same numbers stand in the page as a table.

const language = document.documentElement.lang;
const height = 220;
/** A colour of the theme as a canvas takes it: the theme's own words for it may be made from others. */
const colour = (name) => {
  const probe = document.createElement('i');
  probe.style.color = `var(--tblr-${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
};
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });

/** Draws into the box, which stays hidden for those without scripts, and keeps to its width. */
const draw = (box, options, data) => {
  box.hidden = false;
  const axis = {
    stroke: colour('secondary'),
    grid: { stroke: colour('border-color'), width: 1 },
    ticks: { show: false },
  };
  const chart = new uPlot(
    {
      width: box.clientWidth,
      height,
      legend: { show: false },
      ...options,
      cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false, y: false } },
      axes: [
        { ...axis, grid: { show: false }, ...options.axes[0] },
        {
          ...axis,
          size: 56,
          values: (_, values) => values.map((value) => short.format(value)),
          ...options.axes[1],
        },
      ],
    },
    data,
    box,
  );
  window.addEventListener('resize', () => chart.setSize({ width: box.clientWidth, height }));
  return chart;
};

/** Says below the chart what the pointer is at. */
const readout = (box, words) => {
  const told = box.nextElementSibling;
  const usual = told.textContent;
  return {
    setCursor: [
      ({ cursor: { idx } }) => {
        told.textContent = (idx === null || idx === undefined ? undefined : words(idx)) ?? usual;
      },
    ],
  };
};

// Bars upon one another: `labels` of the columns, `series` of { label, colour, values }, `told` about each column.
for (const box of document.querySelectorAll('[data-bars]')) {
  const { labels, series, told } = JSON.parse(box.dataset.bars);
  // The sum of all comes first and the others over it, so that each shows its own part.
  const upTo = series.map((_, last) =>
    labels.map((__, column) =>
      series.slice(0, last + 1).reduce((sum, { values }) => sum + values[column], 0),
    ),
  );
  const max = Math.max(1, ...upTo.at(-1));
  const bars = uPlot.paths.bars({ size: [0.7, 48] });
  draw(
    box,
    {
      scales: {
        x: { time: false, range: [-0.6, labels.length - 0.4] },
        y: { range: [0, max * 1.05] },
      },
      axes: [
        {
          incrs: [1, 2, 7],
          values: (_, columns) => columns.map((column) => labels[column] ?? ''),
        },
        {
          incrs: [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6,
            1e7,
          ],
        },
      ],
      series: [
        {},
        ...series
          .map(({ colour: name }) => ({
            fill: colour(name),
            stroke: colour(name),
            width: 0,
            paths: bars,
            points: { show: false },
          }))
          .reverse(),
      ],
      hooks: readout(box, (column) => told[column]),
    },
    [labels.map((_, column) => column), ...upTo.reverse()],
  );
}

// How a run went: `samples` are [seconds since 1970, messages, failures], both counted from its beginning.
for (const box of document.querySelectorAll('[data-samples]')) {
  const samples = JSON.parse(box.dataset.samples);
  const { timeZone, sentWords, failedWords } = box.dataset;
  const clock = (options) => {
    const format = new Intl.DateTimeFormat(language, {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      ...options,
    });
    return (seconds) => format.format(seconds * 1000);
  };
  const exact = clock({ day: '2-digit', month: '2-digit', second: '2-digit' });
  const withSeconds = clock({ second: '2-digit' });
  const withMinutes = clock({});
  const withDay = clock({ day: '2-digit', month: '2-digit' });

  /** Messages and failures a second, each measured over a fiftieth of what is shown, and over a second at least. */
  const rates = () => {
    const span = Math.max(0.8, (samples.at(-1)[0] - samples[0][0]) / 50);
    const data = [[], [], []];
    let since = 0;
    samples.forEach(([at, messages, failed], index) => {
      while (since + 1 < index && samples[since + 1][0] <= at - span) since += 1;
      const [before, messagesBefore, failedBefore] = samples[index === 0 ? 0 : since];
      const seconds = at - before;
      data[0].push(at);
      data[1].push(seconds === 0 ? 0 : Math.max(0, messages - messagesBefore) / seconds);
      data[2].push(seconds === 0 ? 0 : Math.max(0, failed - failedBefore) / seconds);
    });
    return data;
  };

  let chart = null;
  let data = null;
  const show = () => {
    if (samples.length < 2) return;
    data = rates();
    if (chart) {
      chart.setData(data);
      return;
    }
    chart = draw(
      box,
      {
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
        axes: [
          {
            // The widest of them is a day with its time, as 28/11, 19:12.
            space: 96,
            values: (_, times, __, ___, step) =>
              times.map(step < 60 ? withSeconds : step < 12 * 3600 ? withMinutes : withDay),
          },
          {},
        ],
        series: [
          {},
          { stroke: colour('primary'), fill: colour('primary-lt'), width: 2, points: { show: false } },
          { stroke: colour('red'), width: 2, dash: [4, 3], points: { show: false } },
        ],
        hooks: readout(
          box,
          (index) =>
            `${exact(data[0][index])}: ${whole.format(data[1][index])} ${sentWords}, ${whole.format(data[2][index])} ${failedWords}`,
        ),
      },
      data,
    );
  };
  show();

  const notLeft = new Set(['queued', 'sending', 'skipped', 'cancelled']);
  document.addEventListener('run-progress', ({ detail: { counts, step } }) => {
    if (step !== 'sending') return;
    const left = Object.entries(counts).filter(([status]) => !notLeft.has(status));
    const sum = (of) => of.reduce((total, [, count]) => total + count, 0);
    const failed = left.filter(([status]) => status === 'failed' || status === 'undelivered');
    samples.push([Date.now() / 1000, sum(left), sum(failed)]);
    show();
  });
}
