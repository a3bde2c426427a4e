"""What the inventory says of its HTTP interface."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from order_contracts.limits import MAX_ITEMS, PRODUCT_ID
from service_common.errors import MalformedError, PreconditionRequiredError, UnavailableError
from service_common.openapi import Answer, AnswerSchema, Api, Operation, ViolationSchema

from .config import NAME
from .domain import (
    OperationReleasedError,
    OperationReusedError,
    ProductExistsError,
    ShortStockError,
    UnknownProductError,
    VersionLostError,
)
from .schemas import (
    DecrementSchema,
    PageSchema,
    ProductSchema,
    ReleaseSchema,
    SingleDecrementSchema,
    StockSchema,
)

__all__ = ["API"]


class _PathSchema(Schema):
    product_id = fields.Str(required=True, validate=validate.Regexp(PRODUCT_ID))


class _SearchSchema(PageSchema):
    """A page of all, or those that are named."""

    product_ids = fields.List(
        fields.Str(validate=validate.Regexp(PRODUCT_ID)), data_key="productId", validate=validate.Length(1, MAX_ITEMS)
    )


class _ChangeSchema(Schema):
    if_match = fields.Str(data_key="If-Match", required=True)


class _RemovalSchema(Schema):
    if_match = fields.Str(data_key="If-Match")


class _LevelSchema(AnswerSchema):
    product_id = fields.Str(data_key="productId", required=True)
    stock = fields.Int(required=True)


class _ProductSchema(_LevelSchema):
    version = fields.Int(required=True, metadata={"description": "Rises with every change of the stock."})
    last_update = fields.AwareDateTime(data_key="lastUpdate", required=True)


class _PageSchema(AnswerSchema):
    items = fields.List(fields.Nested(_ProductSchema), required=True)
    next = fields.Str(
        required=True, allow_none=True, metadata={"description": "What `after` is for the page that follows."}
    )


class _LevelsSchema(AnswerSchema):
    items = fields.List(fields.Nested(_LevelSchema), required=True)


class _GivenItemSchema(AnswerSchema):
    product_id = fields.Str(data_key="productId", required=True)
    quantity = fields.Int(required=True)


class _GivenSchema(AnswerSchema):
    items = fields.List(fields.Nested(_GivenItemSchema), required=True)


class _ViolationSchema(ViolationSchema):
    product_id = fields.Str(data_key="productId")
    requested = fields.Int()
    stock = fields.Int()


_OF_PRODUCT = {"path": _PathSchema}
_OF_TAKING = (UnknownProductError, ShortStockError, OperationReleasedError, OperationReusedError, UnavailableError)

API = Api(
    name=NAME,
    description="Owns the stock.",
    violation=_ViolationSchema,
    names={
        ProductSchema: "NewProduct",
        StockSchema: "NewStock",
        _PageSchema: "ProductPage",
    },
    operations=(
        Operation(
            method="GET",
            path="/inventory",
            name="getProducts",
            summary="Products by their id: a page of all, or those that are named and exist",
            parameters={"query": _SearchSchema},
            answers={200: Answer("The products", _PageSchema)},
            errors=(UnavailableError,),
        ),
        Operation(
            method="GET",
            path="/inventory/{product_id}",
            name="getProduct",
            summary="One product",
            parameters=_OF_PRODUCT,
            answers={200: Answer("The product", _ProductSchema, ("ETag",))},
            errors=(UnknownProductError, UnavailableError),
        ),
        Operation(
            method="POST",
            path="/inventory",
            name="addProduct",
            summary="Put a product in",
            body=ProductSchema,
            answers={201: Answer("It is in", _ProductSchema, ("ETag", "Location"))},
            errors=(ProductExistsError, UnavailableError),
        ),
        Operation(
            method="PUT",
            path="/inventory/{product_id}",
            name="changeStock",
            summary="Set the stock of a product at the version that was seen",
            parameters={"path": _PathSchema, "header": _ChangeSchema},
            body=StockSchema,
            answers={200: Answer("Its next version", _ProductSchema, ("ETag",))},
            errors=(UnknownProductError, VersionLostError, PreconditionRequiredError, UnavailableError),
        ),
        Operation(
            method="DELETE",
            path="/inventory/{product_id}",
            name="removeProduct",
            summary="Take a product out",
            parameters={"path": _PathSchema, "header": _RemovalSchema},
            answers={204: Answer("It is out", media_type=None)},
            errors=(MalformedError, UnknownProductError, VersionLostError, UnavailableError),
        ),
        Operation(
            method="POST",
            path="/inventory/decrement",
            name="takeStock",
            summary="Take all items of an operation, or none, once",
            body=DecrementSchema,
            answers={200: Answer("What is left", _LevelsSchema)},
            errors=_OF_TAKING,
            internal=True,
        ),
        Operation(
            method="POST",
            path="/inventory/decrement/{product_id}",
            name="takeStockOfProduct",
            summary="Take stock of one product, once",
            parameters=_OF_PRODUCT,
            body=SingleDecrementSchema,
            answers={200: Answer("What is left", _LevelsSchema)},
            errors=_OF_TAKING,
            internal=True,
        ),
        Operation(
            method="POST",
            path="/inventory/release",
            name="releaseStock",
            summary="Give back what an operation took",
            body=ReleaseSchema,
            answers={200: Answer("What was given back", _GivenSchema)},
            errors=(UnavailableError,),
            internal=True,
        ),
    ),
)
