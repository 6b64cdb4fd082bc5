/** Brings a further version of a model to where it can be served, beside the appliance's hot threads. */
package io.tiercel.appliance.rollout;
