//! The examples in the help of commands. `core/docs/COMMAND_LINE.md` has them too, and a test runs them there in the
//! order of the page: `serve` first, then the commands of topics and so on.

pub(super) const SERVE: &str = "\
Examples:
  headwater serve --data ./data
  headwater serve --listen 127.0.0.1:0 --config num.partitions=3";

pub(super) const TOPIC_CREATE: &str = "\
Examples:
  headwater topic create flights --data ./data --partitions 2 --config retention.ms=-1
  headwater topic create flights --data ./data --if-not-exists
  headwater topic create gates --data ./data --config cleanup.policy=compact";

pub(super) const TOPIC_LIST: &str = "\
Examples:
  headwater topic list --data ./data
  HEADWATER_DATA=./data headwater topic list --json";

pub(super) const TOPIC_DESCRIBE: &str = "\
Examples:
  headwater topic describe flights --data ./data";

pub(super) const TOPIC_ALTER: &str = "\
Examples:
  headwater topic alter flights --data ./data --partitions 3
  headwater topic alter flights --data ./data --config retention.bytes=1073741824
  headwater topic alter flights --data ./data --unset retention.bytes";

pub(super) const TOPIC_DELETE: &str = "\
Examples:
  headwater topic delete gates --data ./data
  headwater topic delete gates --data ./data --if-exists";

pub(super) const PRODUCE: &str = "\
Examples:
  echo 'UA:late' | headwater produce flights --data ./data --key-separator :
  echo '{\"carrier\": \"UA\", \"time\": \"2013-01-01T05:00:00Z\"}' > flights.jsonl
  headwater produce flights --data ./data --file flights.jsonl --key-field carrier --timestamp-field time";

pub(super) const CONSUME: &str = "\
Examples:
  headwater consume flights --data ./data
  headwater consume flights --data ./data --from -15m --max 10 --format table
  headwater consume flights --data ./data --until 2013-02-01T00:00:00Z
  headwater consume flights --data ./data --group readers
  headwater consume flights --data ./data -f '%p %o %k: %s\\n'
  headwater consume flights --data ./data --format csv > flights.csv
A file in Parquet, with Polars:
  headwater consume flights --data ./data --format arrow | python -c \
'import polars, sys; polars.read_ipc_stream(sys.stdin.buffer).write_parquet(\"flights.parquet\")'
New records, until Ctrl-C:
  headwater consume flights --data ./data --follow";

pub(super) const GROUP_LIST: &str = "\
Examples:
  headwater group list --data ./data";

pub(super) const GROUP_DESCRIBE: &str = "\
Examples:
  headwater group describe readers --data ./data
The lag every five seconds, until Ctrl-C:
  headwater group describe readers --data ./data --watch=5s";

pub(super) const GROUP_RESET: &str = "\
Examples:
  headwater group reset readers --topic flights --to -7d --dry-run --data ./data
  headwater group reset readers --topic flights --to earliest --data ./data";

pub(super) const GROUP_DELETE: &str = "\
Examples:
  headwater group delete readers --data ./data";

pub(super) const USER_ADD: &str = "\
Examples:
  echo secret | headwater user add ada --data ./data";

pub(super) const USER_LIST: &str = "\
Examples:
  headwater user list --data ./data";

pub(super) const USER_DELETE: &str = "\
Examples:
  headwater user delete ada --data ./data";

pub(super) const DUMP: &str = "\
Examples:
  headwater dump --records ./data/flights-0/*.log";

pub(super) const COMPLETIONS: &str = "\
Examples:
  headwater completions bash > headwater.bash
  headwater completions zsh > _headwater
  headwater completions fish > headwater.fish";
