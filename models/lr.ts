import { defineModel } from './model.js';
import { firstOrder } from './layers.js';

/**
 * Logistic regression.
 *
 *   z = b + Σᵢ wᵢ
 *
 * With K classes every feature has K weights.
 */
export const lr = defineModel({
  name: 'LR',
  paper:
    'Richardson, Dominowska and Ragno, Predicting Clicks: Estimating the Click-Through Rate for New Ads, WWW 2007',
  config: {},

  build: (b) => firstOrder(b, b.classes), // logits [B,K]
});
