import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Scanner;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;

/** Reads lines "name version hex", and repeats those that Kafka decodes and encodes to the same bytes. Exits 1 if one is not. */
public class Judge {
    private static final String[] CLASSES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.common.metadata.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s",
    };

    public static void main(String[] arguments) throws Exception {
        boolean right = true;
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            String line = lines.nextLine();
            String[] words = line.split(" ", -1);
            String verdict;
            try {
                verdict = again(words[0], Short.parseShort(words[1]), words[2]);
            } catch (ReflectiveOperationException | RuntimeException error) {
                verdict = error + ": " + error.getCause();
            }
            if (verdict.equals(words[2])) {
                System.out.println(line);
            } else {
                System.err.println(words[0] + " " + words[1] + "\n  ours  " + words[2] + "\n  Kafka " + verdict);
                right = false;
            }
        }
        System.exit(right ? 0 : 1);
    }

    private static String again(String name, short version, String hex) throws ReflectiveOperationException {
        ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
        Message message = (Message) find(name).getConstructor(Readable.class, short.class).newInstance(new ByteBufferAccessor(bytes), version);
        if (bytes.hasRemaining()) {
            throw new IllegalStateException(bytes.remaining() + " bytes are left");
        }
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer out = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(out), cache, version);
        return HexFormat.of().formatHex(out.array());
    }

    private static Class<?> find(String name) throws ClassNotFoundException {
        for (String pattern : CLASSES) {
            try {
                return Class.forName(String.format(pattern, name));
            } catch (ClassNotFoundException error) {
                // It is in one of the others.
            }
        }
        throw new ClassNotFoundException(name);
    }
}
