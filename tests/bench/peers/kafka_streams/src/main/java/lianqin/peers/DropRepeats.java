package lianqin.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The small job on Kafka Streams, by its Processor API: {@code DropRepeats JOB}, with the job as JSON.
 *
 * <p>Settings are Streams' own, but for {@code store} (rocksdb or memory) and {@code store.cache} (true or false).
 */
public final class DropRepeats {
    private static final String SEEN = "seen";
    private static final byte[] YES = {1};

    private DropRepeats() {}

    /** One report, all of it decoded. */
    public record Report(String id, long time, String category, double lat, double lon, String text) {}

    private static final class Dropping implements Processor<byte[], byte[], byte[], byte[]> {
        private final ObjectReader reader = new ObjectMapper().readerFor(Report.class);
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<String, byte[]> seen;

        @Override
        public void init(final ProcessorContext<byte[], byte[]> given) {
            context = given;
            seen = given.getStateStore(SEEN);
        }

        @Override
        public void process(final Record<byte[], byte[]> record) {
            final Report report = decoded(record.value());
            if (seen.putIfAbsent(report.id(), YES) == null) {
                context.forward(record.withKey(report.id().getBytes(StandardCharsets.UTF_8)));
            }
        }

        private Report decoded(final byte[] value) {
            try {
                return reader.readValue(value);
            } catch (final IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    private static Topology topology(final JsonNode job) {
        final JsonNode settings = job.get("settings");
        final boolean memory = "memory".equals(settings.get("store").asText());
        final KeyValueBytesStoreSupplier supplier =
                memory ? Stores.inMemoryKeyValueStore(SEEN) : Stores.persistentKeyValueStore(SEEN);
        final StoreBuilder<KeyValueStore<String, byte[]>> plain =
                Stores.keyValueStoreBuilder(supplier, Serdes.String(), Serdes.ByteArray());
        final boolean cached = settings.get("store.cache").asBoolean();
        return new Topology()
                .addSource("reports", job.get("source").asText())
                .addProcessor("drop-repeats", Dropping::new, "reports")
                .addStateStore(cached ? plain.withCachingEnabled() : plain.withCachingDisabled(), "drop-repeats")
                .addSink("forwarded", job.get("target").asText(), "drop-repeats");
    }

    private static Properties properties(final JsonNode job) {
        final Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.get("bootstrap").asText());
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, job.get("name").asText());
        properties.put(StreamsConfig.STATE_DIR_CONFIG, job.get("folder").asText());
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        for (final var setting : job.get("settings").properties()) {
            if (!setting.getKey().startsWith("store")) {
                properties.put(setting.getKey(), setting.getValue().asText());
            }
        }
        return properties;
    }

    /** Runs until SIGTERM; exit code 1 when Streams fails. */
    public static void main(final String[] args) throws IOException, InterruptedException {
        final JsonNode job = new ObjectMapper().readTree(args[0]);
        final CountDownLatch over = new CountDownLatch(1);
        final KafkaStreams streams = new KafkaStreams(topology(job), properties(job));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            over.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        over.await();
        System.exit(1);
    }
}
