import * as adapter from 'headwater/kafkajs';
import { clientOf } from './kafkajs_surface.mjs';

export const Client = clientOf(adapter);
