import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/**
 * Runs windowed topologies of Kafka Streams over given records and prints their final results.
 *
 * Standard input: JSON lines. {"case", "kind", "emit", "size", "every", "gap", "grace", "before", "after", "cache",
 * "store"} begins a case (times in ms); {"topic", "key", "value", "t"} is one of its records, in order of arrival. Standard output: JSON
 * lines: {"case", "key", "start", "end", "count", "sum"} per final result, then {"case", "dropped"}.
 *
 * "cache" is the record cache in bytes, "store" is "memory" or "rocksdb". The test driver commits after every record,
 * which costs RocksDB 3 ms each.
 */
public final class Peer {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Materialized<String, String, org.apache.kafka.streams.state.WindowStore<org.apache.kafka.common.utils.Bytes, byte[]>> WINDOWS =
        Materialized.with(Serdes.String(), Serdes.String());
    private static final Materialized<String, String, org.apache.kafka.streams.state.SessionStore<org.apache.kafka.common.utils.Bytes, byte[]>> SESSIONS =
        Materialized.with(Serdes.String(), Serdes.String());

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        Path state = Files.createTempDirectory("tidemark-peer-");
        JsonNode setup = null;
        List<JsonNode> records = new ArrayList<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode node = JSON.readTree(line);
            if (!node.has("case")) {
                records.add(node);
                continue;
            }
            if (setup != null) {
                run(setup, records, state, out);
            }
            setup = node;
            records.clear();
        }
        if (setup != null) {
            run(setup, records, state, out);
        }
        out.flush();
        delete(state);
    }

    private static void run(JsonNode setup, List<JsonNode> records, Path state, BufferedWriter out) throws IOException {
        StreamsBuilder builder = new StreamsBuilder();
        topology(setup, builder);
        String name = setup.get("case").asText();
        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, name.replaceAll("[^a-zA-Z0-9]", "-"));
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:0");
        config.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, setup.get("cache").asLong());
        config.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, setup.get("store").asText().equals("rocksdb")
            ? BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers.class : BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
        // Emission on close is otherwise held back by the wall clock, which stands still here.
        config.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(config), config)) {
            Map<String, TestInputTopic<String, Long>> topics = new HashMap<>();
            for (JsonNode r : records) {
                topics.computeIfAbsent(r.get("topic").asText(),
                        t -> driver.createInputTopic(t, new StringSerializer(), new LongSerializer()))
                    .pipeInput(r.get("key").asText(), r.get("value").asLong(), r.get("t").asLong());
            }
            TestOutputTopic<String, String> results =
                driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
            for (KeyValue<String, String> r : results.readKeyValuesToList()) {
                String[] key = r.key.split("\\|");
                String[] value = r.value.split(",");
                ObjectNode row = JSON.createObjectNode();
                row.put("case", name).put("key", key[0]).put("start", Long.parseLong(key[1])).put("end", Long.parseLong(key[2]));
                row.put("count", Long.parseLong(value[0])).put("sum", Long.parseLong(value[1]));
                out.write(JSON.writeValueAsString(row));
                out.newLine();
            }
            double dropped = driver.metrics().entrySet().stream()
                .filter(m -> m.getKey().name().equals("dropped-records-total"))
                .mapToDouble(m -> (Double) m.getValue().metricValue()).sum();
            out.write(JSON.writeValueAsString(JSON.createObjectNode().put("case", name).put("dropped", (long) dropped)));
            out.newLine();
        }
    }

    private static void topology(JsonNode setup, StreamsBuilder builder) {
        Consumed<String, Long> consumed = Consumed.with(Serdes.String(), Serdes.Long());
        KStream<String, Long> events = builder.stream("a", consumed);
        Duration grace = ms(setup, "grace");
        String kind = setup.get("kind").asText();
        if (kind.equals("join")) {
            JoinWindows reach = JoinWindows.ofTimeDifferenceAndGrace(Duration.ZERO, grace)
                .before(ms(setup, "before")).after(ms(setup, "after"));
            events = events.join(builder.stream("b", consumed), Long::sum, reach,
                StreamJoined.with(Serdes.String(), Serdes.Long(), Serdes.Long()));
        }
        KGroupedStream<String, Long> grouped = events.groupByKey(Grouped.with(Serdes.String(), Serdes.Long()));
        boolean suppress = setup.get("emit").asText().equals("suppress");
        EmitStrategy emit = suppress ? EmitStrategy.onWindowUpdate() : EmitStrategy.onWindowClose();
        KTable<Windowed<String>, String> results;
        if (kind.equals("session")) {
            results = grouped.windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(setup, "gap"), grace)).emitStrategy(emit)
                .aggregate(() -> "0,0", Peer::add, (key, a, b) -> merge(a, b), SESSIONS);
        } else {
            Duration size = ms(setup, "size");
            Duration every = setup.has("every") ? ms(setup, "every") : size;
            results = grouped.windowedBy(TimeWindows.ofSizeAndGrace(size, grace).advanceBy(every)).emitStrategy(emit)
                .aggregate(() -> "0,0", Peer::add, WINDOWS);
        }
        if (suppress) {
            results = results.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()));
        }
        results.toStream()
            .filter((key, value) -> value != null)
            .map((key, value) -> KeyValue.pair(key.key() + "|" + key.window().start() + "|" + key.window().end(), value))
            .to("out", Produced.with(Serdes.String(), Serdes.String()));
    }

    private static Duration ms(JsonNode setup, String field) {
        return Duration.ofMillis(setup.get(field).asLong());
    }

    private static String add(String key, long value, String aggregate) {
        return merge(aggregate, "1," + value);
    }

    private static String merge(String a, String b) {
        String[] x = a.split(",");
        String[] y = b.split(",");
        return (Long.parseLong(x[0]) + Long.parseLong(y[0])) + "," + (Long.parseLong(x[1]) + Long.parseLong(y[1]));
    }

    private static void delete(Path dir) throws IOException {
        try (var paths = Files.walk(dir)) {
            paths.sorted(java.util.Comparator.reverseOrder()).forEach(p -> {
                try {
                    Files.delete(p);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
