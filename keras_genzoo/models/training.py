"""What all models share in training: the checks of ``fit``, and averages of what is logged."""

import contextlib
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models import checking
from keras_genzoo.models.batches import checked
from keras_genzoo.models.optimizers import check_callbacks

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras import Model as Joined
else:
    Joined = object


class Training(Joined):
    """What ``ImageModel`` adds to the training of ``keras.Model``."""

    _trackers: dict[str, keras.metrics.Mean]
    steps_per_execution: int

    def track_only(self, *names: str) -> None:
        """Track these besides ``metric_names``, and nothing else."""
        for name in set(self._trackers) - {*self.metric_names, *names}:
            del self._trackers[name]
        for name in names:
            if name not in self._trackers:
                self._trackers[name] = keras.metrics.Mean(name=name)

    def track(self, batch_size: int | Tensor, **values: Tensor) -> dict[str, tf.Tensor]:
        """Average values over the epoch, weighted by the batch size, and return the averages."""
        for name, value in values.items():
            # A replica may get no image of a last, small batch, and its mean is then NaN.
            value = tf.where(batch_size > 0, value, tf.zeros_like(value))
            self._trackers[name].update_state(value, sample_weight=tf.cast(batch_size, "float32"))
        results = self.get_metrics_result()
        if self.on_several_machines:
            # Keras averages over the workers along an axis, so there must be one (keras#20585).
            results = {name: tf.reshape(value, (1,)) for name, value in results.items()}
        return results

    @property
    def on_several_machines(self) -> bool:
        """Whether the replicas are those of several machines."""
        strategy = self.distribute_strategy
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return False
        cluster = strategy.cluster_resolver.cluster_spec()
        return sum(cluster.num_tasks(job) for job in cluster.jobs) > 1

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """Skip Keras' symbolic build: the model is built, and Keras would average uint8 images."""

    def execute_at_once(self, steps: int) -> None:
        """Take so many training steps in each call of TensorFlow.

        The numbers are those of single steps. An epoch must divide by it, or ``fit`` takes more.
        """
        if steps != self.steps_per_execution:
            self.steps_per_execution = steps
            # The traced function holds the old number.
            self.train_function = None

    def fit(self, *args, **kwargs):
        """Train as ``keras.Model.fit`` does, once the data are found to be what the model takes.

        Floats of which none is negative are refused where the range is [-1, 1]: they were scaled
        to [0, 1] (``models.checking`` says when exactly).

        Raises:
            GenzooError: if images are neither uint8 nor floats in the model's range, have another
                shape, lack the labels that the model needs, if there are weights of samples, if a
                batch does not divide by the number of replicas, or a callback cannot work.
        """
        arguments = checking.bind(keras.Model.fit, args, kwargs)
        arguments.pop("self")
        checking.refuse_weights(arguments)
        check_callbacks(self, arguments.get("callbacks"))
        x, validation = arguments.get("x"), arguments.get("validation_data")
        arguments["x"] = checked(self, x, arguments.get("y"))
        if isinstance(validation, (tuple, list)):
            checking.check_batch(self, validation, first=True)
        elif validation is not None:
            arguments["validation_data"] = checked(self, validation)
        batch_size, split = arguments.get("batch_size"), arguments.get("validation_split")
        checking.check_division(self, x, batch_size or 32, split or 0.0)
        if not hasattr(x, "shape"):
            # A data set has an order of its own, and Keras warns if it is asked to shuffle it.
            arguments.setdefault("shuffle", False)
        with checking.plain_errors():
            return super().fit(**arguments)

    def evaluate(self, *args, **kwargs):
        """Evaluate as ``keras.Model.evaluate`` does, with the checks of ``fit``."""
        if kwargs.get("_use_cached_eval_dataset"):
            return super().evaluate(*args, **kwargs)
        arguments = checking.bind(keras.Model.evaluate, args, kwargs)
        arguments.pop("self")
        options = arguments.pop("kwargs", {})
        checking.refuse_weights(arguments)
        arguments["x"] = checked(self, arguments.get("x"), arguments.get("y"))
        with checking.plain_errors():
            return super().evaluate(**arguments, **options)

    def train_on_batch(self, *args, **kwargs):
        """Take one step as ``keras.Model.train_on_batch`` does, with the checks of ``fit``."""
        with self._batch_checked(keras.Model.train_on_batch, args, kwargs):
            return super().train_on_batch(*args, **kwargs)

    def test_on_batch(self, *args, **kwargs):
        """Measure one batch as ``keras.Model.test_on_batch`` does, with the checks of ``fit``."""
        with self._batch_checked(keras.Model.test_on_batch, args, kwargs):
            return super().test_on_batch(*args, **kwargs)

    @contextlib.contextmanager
    def _batch_checked(self, method, args, kwargs):
        arguments = checking.bind(method, args, kwargs)
        checking.refuse_weights(arguments)
        batch = (arguments.get("x"), arguments.get("y"))
        checking.check_batch(self, batch, first=self.step.numpy() == 0)
        with checking.plain_errors():
            yield
