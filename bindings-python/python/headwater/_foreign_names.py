"""Names of other libraries, and of other calls, with the names of this package that errors recommend instead.

``NAMES`` is the only list. A name in it must not exist in this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from headwater.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class ForeignName(NamedTuple):
    """A name of another library."""

    kind: Literal["attribute", "keyword", "key"]
    """An attribute of a class, a keyword argument of a call, or a configuration key, also as a keyword argument."""
    place: str
    """The class, or the call. Each library has several names for ``Future``: what ``Producer.send`` returns."""
    name: str
    library: str
    """The library that has the name; for a name of ours in the wrong place, the call that has it."""
    ours: str
    """What to use, as the end of the sentence "use ..."."""


def _rows(kind: Literal["attribute", "keyword", "key"], place: str, library: str, **ours: str) -> list[ForeignName]:
    dotted = {name.replace("_", ".") if kind == "key" else name: use for name, use in ours.items()}
    return [ForeignName(kind, place, name, library, use) for name, use in dotted.items()]


NAMES: list[ForeignName] = [
    *_rows(
        "attribute",
        "Producer",
        "confluent-kafka",
        produce="send(topic, value, key=key), which returns a future",
        poll="the future of send(): it needs no poll()",
        list_topics="client.topics()",
        init_transactions="send() without transactions, which are not available yet",
        begin_transaction="send() without transactions, which are not available yet",
        commit_transaction="send() without transactions, which are not available yet",
        abort_transaction="send() without transactions, which are not available yet",
        purge="close()",
    ),
    *_rows(
        "attribute",
        "Producer",
        "kafka-python",
        partitions_for='client.topic(name).offsets("latest"), whose keys are the partitions',
        metrics="client.metrics()",
        bootstrap_connected="connect(), which fails if no broker answers",
    ),
    *_rows(
        "attribute",
        "Producer",
        "aiokafka",
        send_and_wait="send(), and wait for its result",
        start="client.producer(), which needs no start",
        stop="close()",
    ),
    *_rows(
        "attribute",
        "Consumer",
        "confluent-kafka",
        consume="poll(max_records=n), which returns a Batch, or batches()",
        list_topics="client.topics()",
        get_watermark_offsets='client.topic(name).offsets("earliest") and offsets("latest")',
        offsets_for_times="client.topic(name).offsets(time)",
        store_offsets="commit(message); auto-commit covers only what you have finished",
        incremental_assign="assign()",
        incremental_unassign="assign()",
        unassign="assign([])",
        memberid="client.groups()",
        consumer_group_metadata="commit()",
    ),
    *_rows(
        "attribute",
        "Consumer",
        "kafka-python",
        subscription="assignment(), which has the partitions that are read",
        topics="client.topics()",
        partitions_for_topic='client.topic(name).offsets("latest"), whose keys are the partitions',
        beginning_offsets='client.topic(name).offsets("earliest")',
        end_offsets='client.topic(name).offsets("latest")',
        seek_to_beginning='seek("earliest")',
        seek_to_end='seek("latest")',
        highwater='lag(), or client.topic(name).offsets("latest")',
        commit_async="commit(wait=False)",
        metrics="client.metrics()",
    ),
    *_rows(
        "attribute",
        "Consumer",
        "aiokafka",
        getone="async for message in consumer",
        getmany="poll(timeout=seconds), which returns a Batch",
        start="client.consumer(), which needs no start",
        stop="close()",
    ),
    *_rows(
        "attribute",
        "Future",
        "kafka-python",
        get="result(timeout=seconds), or await it",
        succeeded="done() and exception()",
        failed="done() and exception()",
        is_done="done()",
        value="result()",
        add_callback="add_done_callback(function)",
        add_errback="add_done_callback(function)",
    ),
    *_rows(
        "attribute",
        "Client",
        "confluent-kafka",
        list_topics="topics()",
        create_topics="create_topic(name, partitions=n)",
        delete_topics="delete_topic(name)",
        create_partitions="alter_topic(name, partitions=n)",
        alter_configs='alter_topic(name, retention_ms="7d")',
        incremental_alter_configs='alter_topic(name, retention_ms="7d")',
        list_groups="groups()",
        list_consumer_groups="groups()",
        describe_consumer_groups="groups()",
        list_consumer_group_offsets="group_offsets(group_id)",
        alter_consumer_group_offsets="reset_group_offsets(group_id, topic, to)",
        delete_consumer_groups="delete_group(group_id)",
    ),
    *_rows(
        "attribute",
        "Client",
        "sqlite3",
        cursor='topic.scan().to_polars(), or duckdb.sql("from scan")',
        execute='topic.scan().to_polars(), or duckdb.sql("from scan")',
        commit="producer.flush(), which waits until all records are written",
    ),
    *_rows("attribute", "Client", "kafka-python", send="client.producer() and its send()"),
    *_rows("attribute", "Client", "confluent-kafka", produce="client.producer() and its send()", subscribe="client.consumer(topics)"),
    *_rows(
        "attribute",
        "Topic",
        "pandas",
        to_pandas="scan().to_pandas()",
        to_dict="scan().to_pandas().to_dict()",
        iterrows="for batch in topic.scan()",
        shape="len(topic)",
        columns="scan().schema",
        loc="scan(start=offset, end=offset)",
        iloc="scan(start=offset, end=offset)",
    ),
    *_rows("attribute", "Topic", "polars", to_polars="scan().to_polars()", to_arrow="scan().to_arrow()"),
    *_rows(
        "attribute",
        "Scan",
        "pandas",
        head="topic.head(n)",
        tail="topic.tail(n)",
        iterrows="for batch in scan",
        shape="count()",
        columns="schema",
    ),
    *_rows("attribute", "Scan", "polars", collect="to_polars()", lazy="to_polars(lazy=True)", filter="to_polars(lazy=True).filter(...)"),
    *_rows("attribute", "Scan", "sqlite3", fetchall="to_polars()", fetchone="topic.head(1)", fetchmany="topic.head(n)"),
    *_rows(
        "attribute", "Batch", "pandas", iterrows="for message in batch", shape="len(batch) and columns", itertuples="for message in batch"
    ),
    *_rows("attribute", "Batch", "kafka-python", items="for message in batch", values="for message in batch"),
    *_rows(
        "attribute",
        "headwater",
        "kafka-python",
        KafkaProducer='connect("host:9092").producer()',
        KafkaConsumer='connect("host:9092").consumer(topics)',
        KafkaAdminClient='connect("host:9092")',
    ),
    *_rows("attribute", "headwater", "confluent-kafka", AdminClient='connect("host:9092")', KafkaException="KafkaError"),
    *_rows(
        "attribute",
        "headwater",
        "aiokafka",
        AIOKafkaProducer='headwater.aio.connect("host:9092")',
        AIOKafkaConsumer='headwater.aio.connect("host:9092")',
    ),
    *_rows("keyword", "Producer.send", "confluent-kafka", on_delivery="send(...).add_done_callback(function)"),
    *_rows("keyword", "Producer.send", "confluent-kafka", callback="send(...).add_done_callback(function)"),
    *_rows("keyword", "Producer.send", "kafka-python", timestamp_ms="timestamp="),
    *_rows("keyword", "Consumer.poll", "kafka-python", timeout_ms="timeout=, in seconds", update_offsets="poll() without it, and seek()"),
    *_rows("keyword", "Consumer.poll", "confluent-kafka", num_messages="max_records="),
    *_rows(
        "keyword",
        "Consumer.commit",
        "confluent-kafka",
        asynchronous="wait=",
        message="commit(message)",
        offsets="commit({(topic, partition): offset})",
    ),
    *_rows(
        "keyword",
        "Consumer.subscribe",
        "kafka-python",
        listener="on_assign=, on_revoke= and on_lost=",
        pattern="subscribe(re.compile(pattern))",
    ),
    *_rows("keyword", "Client.create_topic", "kafka-python", num_partitions="partitions=", topic_configs="config="),
    *_rows("keyword", "Client.create_topic", "Producer.send", partition="partitions="),
    *_rows(
        "keyword",
        "Client.consumer",
        "Consumer.subscribe",
        on_assign="consumer.subscribe(topics, on_assign=function)",
        on_revoke="consumer.subscribe(topics, on_revoke=function)",
        on_lost="consumer.subscribe(topics, on_lost=function)",
    ),
    *_rows("keyword", "Client.consumer", "kafka-python", consumer_timeout_ms='poll(timeout=seconds), or batches(until="end")'),
    *_rows("keyword", "Client.consumer", "kafka-python", value_deserializer='value="json" or value="string"'),
    *_rows("keyword", "Client.consumer", "kafka-python", key_deserializer='key="json" or key="string"'),
    *_rows("keyword", "Client.producer", "kafka-python", value_serializer="send(topic, json.dumps(value)), or send_batch(topic, rows)"),
    *_rows("keyword", "Client.producer", "kafka-python", key_serializer="send(topic, value, key=key) with bytes or str"),
    *_rows("key", "Client.producer", "confluent-kafka", bootstrap_servers="connect(bootstrap_servers)"),
    *_rows("key", "Client.consumer", "confluent-kafka", bootstrap_servers="connect(bootstrap_servers)"),
    *_rows("key", "open", "confluent-kafka", bootstrap_servers="connect(bootstrap_servers)"),
    *_rows(
        "key", "connect", "confluent-kafka", metadata_broker_list="connect(bootstrap_servers)", stats_cb="stats=", oauth_cb="oauth_token="
    ),
    *_rows("key", "connect", "confluent-kafka", socket_timeout_ms="request.timeout.ms", ssl_ca_location="ssl.truststore.location"),
    *_rows("key", "connect", "confluent-kafka", ssl_certificate_location="ssl.keystore.location", ssl_key_location="ssl.keystore.location"),
    *_rows(
        "key",
        "connect",
        "kafka-python",
        sasl_plain_username="sasl.username",
        sasl_plain_password="sasl.password",
        ssl_cafile="ssl.truststore.location",
    ),
    *_rows(
        "key",
        "connect",
        "kafka-python",
        ssl_certfile="ssl.keystore.location",
        ssl_keyfile="ssl.keystore.location",
        api_version="connect() without it",
    ),
    *_rows(
        "key",
        "Client.producer",
        "confluent-kafka",
        message_timeout_ms="delivery.timeout.ms",
        queue_buffering_max_ms="linger.ms",
        queue_buffering_max_kbytes="buffer.memory",
        queue_buffering_max_messages="buffer.memory",
        batch_num_messages="batch.size",
        message_max_bytes="max.request.size",
        compression_codec="compression.type",
        request_required_acks="acks",
        message_send_max_retries="retries",
        max_in_flight="max.in.flight.requests.per.connection",
    ),
    *_rows("key", "Client.producer", "Java", key_serializer="send(topic, value, key=key) with bytes or str"),
    *_rows("key", "Client.producer", "Java", value_serializer="send(topic, json.dumps(value)), or send_batch(topic, rows)"),
    *_rows(
        "key",
        "Client.consumer",
        "confluent-kafka",
        fetch_wait_max_ms="fetch.max.wait.ms",
        fetch_message_max_bytes="max.partition.fetch.bytes",
        enable_auto_offset_store="enable.auto.commit",
        enable_partition_eof='batches(until="end")',
        queued_max_messages_kbytes="fetch.max.bytes",
    ),
    *_rows(
        "key", "Client.consumer", "Java", key_deserializer='key="json" or key="string"', value_deserializer='value="json" or value="string"'
    ),
]


def attribute_error(place: str, name: str, owner: object) -> AttributeError:
    """Return the error for an attribute that does not exist."""
    for row in NAMES:
        if (row.kind, row.place, row.name) == ("attribute", place, name):
            return AttributeError(f"{place} has no {name} ({row.library} has it): use {row.ours}.")
    what = f"module '{place}'" if place == "headwater" else f"'{place}' object"
    # With these arguments Python adds the nearest name.
    return AttributeError(f"{what} has no attribute '{name}'", name=name, obj=owner)


def refuse_keywords(call: str, given: Mapping[str, object]) -> None:
    """Raise the error for keyword arguments that a call does not have."""
    check_keywords(call, given)
    for name in given:
        message = f"{call}() got an unexpected keyword argument '{name}'"
        raise TypeError(message)


def check_keywords(call: str, given: Mapping[str, object]) -> None:
    """Refuse keyword arguments of other libraries. Others may be configuration keys."""
    for name in given:
        for row in NAMES:
            is_name = row.kind == "keyword" and row.name == name
            if row.place == call and (is_name or (row.kind == "key" and row.name == name.replace("_", "."))):
                message = f"{call}() has no argument {name} ({row.library} has it): use {row.ours}."
                raise TypeError(message)


def check_keys(call: str, given: Mapping[str, object]) -> None:
    """Refuse configuration keys of other libraries."""
    for name in given:
        for row in NAMES:
            if (row.kind, row.place, row.name) == ("key", call, name):
                message = f'unknown configuration "{name}" ({row.library} has it): use {row.ours}.'
                raise ConfigError(message)
