"""Two logical CPUs, so that one machine trains on two replicas."""


def two_processors() -> None:
    """Give TensorFlow a second logical CPU, before anything starts it."""
    import tensorflow as tf

    device = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(device, two)
