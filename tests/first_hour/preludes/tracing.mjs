import { SpanKind, context, propagation, trace } from '@opentelemetry/api';
import { headersGetter, headersSetter, open } from 'headwater';
const client = await open();
await client.createTopic('orders');
const producer = client.producer();
const consumer = client.consumer({ topics: 'orders', autoOffsetReset: 'earliest' });
const tracer = trace.getTracer('readme');
const value = 'an order';
const handle = async () => void consumer.stop();
