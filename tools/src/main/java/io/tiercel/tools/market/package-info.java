/**
 * Real market data in, features and labels out: the tapes, the one implementation of the features that a live client,
 * the demo and training share, and the rule that says afterwards what a prediction should have been.
 *
 * <p><b>No look-ahead.</b> A {@link io.tiercel.tools.market.FeatureExtractor} sees events one after another and has no
 * way to reach a later one; {@link io.tiercel.tools.market.Labels} alone look ahead, and are used only to train and to
 * score. Training reads the file that {@code tiercel features} writes from this code, so what a model was trained on
 * is what a client sends it.
 *
 * <p>For a model of the order flow the same events are tokens: an {@link io.tiercel.tools.market.EventTokeniser} says
 * one for each, of an {@link io.tiercel.tools.market.EventVocabulary} that is kept with the model;
 * {@code tiercel events} writes them.
 */
package io.tiercel.tools.market;
