import kafkajs from 'kafkajs';
import { clientOf } from './kafkajs_surface.mjs';

export const Client = clientOf(kafkajs);
