-- Messages for which Kannel expects a receipt (kannel.conf, docs/providers.md).
create table if not exists receipts (
  smsc        text,
  ts          text,
  source      text,
  destination text,
  service     text,
  url         text,
  mask        integer,
  status      integer,
  boxc        text
);
create index if not exists receipts_of_operator on receipts (smsc, ts);
