"""The loop of the Python program that this project began as: a message at a time from kafka-python, a frame of one row, and a
prediction of scikit-learn. It printed its predictions; here they go to a topic, as everybody's do. At most once: kafka-python's
own commits, every 5 s.
"""

import json
import sys
from pathlib import Path

import numpy as np
from kafka import KafkaConsumer, KafkaProducer
from sklearn.linear_model import LinearRegression

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from linear import task


def main():
    job = task()
    model = LinearRegression()
    model.coef_ = np.array(job.coefficients)
    model.intercept_ = job.intercept
    consumer = KafkaConsumer(
        job.input, bootstrap_servers=job.brokers, group_id=job.group, auto_offset_reset="earliest"
    )
    producer = KafkaProducer(bootstrap_servers=job.brokers)
    for done, message in enumerate(consumer, 1):
        record = json.loads(message.value)
        prediction = float(model.predict([[record[name] for name in job.features]])[0])
        producer.send(job.output, job.words(prediction, message.partition, message.offset), message.key)
        if done == job.records:
            break
    producer.flush()
    consumer.close()


main()
